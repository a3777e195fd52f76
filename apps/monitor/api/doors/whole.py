"""Take in a request's body whole, if it is small enough, so that what follows may read it more than once."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.monitor.api.problems import refuse

LARGEST = 256 * 1024
PATIENCE_SECONDS = 10.0


class _TooLarge(Exception):
    """There was more than is allowed."""


class Whole:
    """Refuse bodies that are too large or too slow; give the others on in one piece."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        try:
            if not length.isdecimal() or int(length) > LARGEST:
                raise _TooLarge
            async with asyncio.timeout(PATIENCE_SECONDS):
                body = await _read(receive)
        except _TooLarge:
            await refuse(
                scope, receive, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has {LARGEST} bytes at most"
            )
            return
        except TimeoutError:
            await refuse(scope, receive, send, HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive")
            return
        if body is None:  # gone before all of it was here
            return
        if _has_nul(scope, body):
            await refuse(scope, receive, send, HTTPStatus.BAD_REQUEST, "no text here has a NUL character")
            return
        scope.setdefault("state", {})["body"] = body
        await self._app(scope, _Replay(body, receive), send)


class _Replay:
    """Tells the body once more, then whatever comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _has_nul(scope: Scope, body: bytes) -> bool:
    """Return whether there is a character that PostgreSQL keeps in no text, written in any of the usual ways."""
    query = scope.get("query_string", b"")
    return "\x00" in scope["path"] or any(mark in query + body for mark in (b"\x00", b"%00", b"\\u0000"))


async def _read(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > LARGEST:
            raise _TooLarge
        if not message.get("more_body", False):
            return bytes(body)
