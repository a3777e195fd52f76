"""Database work in one thread a request, as Django does it for its own pages; the connection ends with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections
from starlette.types import ASGIApp, Receive, Scope, Send

P = ParamSpec("P")
R = TypeVar("R")


class OwnThread:
    """Give each request a thread of its own for `in_thread`, and close its database connection in the end."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with ThreadSensitiveContext():
            try:
                await self._app(scope, receive, send)
            finally:
                await in_thread(connections.close_all)


async def in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `work` returns, done in the thread of this request: Django's database is not for the event loop."""
    return await sync_to_async(work, thread_sensitive=True)(*args, **kwargs)
