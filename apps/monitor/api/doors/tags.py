"""Say what version an answer is, and nothing when it is known already; let no answer be taken for a page."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.monitor.api.tags import matches


class Tags:
    """Give answers to GET an ETag, and 304 to who has that version. A tag that a route has set stays."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        await self._app(scope, receive, _Tagging(send, known) if scope["method"] == "GET" else _Guarding(send))


class _Guarding:
    """Sends on, with headers that keep browsers from guessing."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            _guard(message)
        await self._send(message)


class _Tagging:
    """Holds an answer back until its tag is known."""

    def __init__(self, send: Send, known: str) -> None:
        self._send, self._known = send, known
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            _guard(message)
            # A file to be saved is sent as it is read, however long it is: nobody asks for the same one again.
            if message["status"] != HTTPStatus.OK or "content-disposition" in Headers(raw=message["headers"]):
                await self._send(message)
                return
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        headers.setdefault("ETag", f'"{hashlib.sha256(self._body).hexdigest()[:32]}"')
        if self._known and matches(self._known, headers["ETag"]):
            kept = [
                (name, value) for name, value in headers.raw if name.lower() in {b"etag", b"cache-control", b"vary"}
            ]
            await self._send({"type": "http.response.start", "status": HTTPStatus.NOT_MODIFIED, "headers": kept})
            await self._send({"type": "http.response.body", "body": b""})
            return
        await self._send(start)
        await self._send({"type": "http.response.body", "body": bytes(self._body)})


def _guard(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "private, no-cache")
    headers.setdefault("Vary", "Cookie, Authorization")
    if not headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
