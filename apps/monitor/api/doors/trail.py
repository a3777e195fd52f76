"""Write every request that may change something into the audit trail, with how it ended."""

from __future__ import annotations

import logging
from http import HTTPStatus

from django.db import DatabaseError, InterfaceError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.monitor.api.people import SAFE, caller_of
from apps.monitor.api.threads import in_thread
from apps.monitor.audit.append import audit_append

logger = logging.getLogger(__name__)


class Trail:
    """Notes a write before its answer goes out; not what was asked too often: a flood must not fill the trail."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != HTTPStatus.TOO_MANY_REQUESTS:
                await in_thread(_note, scope, message["status"])
            await send(message)

        await self._app(scope, receive, noting)


def _note(scope: Scope, status: int) -> None:
    caller = caller_of(scope)
    actor = "nobody" if caller is None else caller.name
    address = scope["client"][0] if scope.get("client") else ""
    try:
        audit_append(
            action=f"api {scope['method']}",
            subject=scope["path"][:300],
            actor=actor,
            address=address,
            after={"status": status},
        )
    except (DatabaseError, InterfaceError) as error:
        # What was done is done, and a halt must be answered with the database gone.
        what = f"{scope['method']} {scope['path']} by {actor}: {status}"
        logger.warning("%s is not in the audit trail: %s", what, error)
