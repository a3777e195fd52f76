"""Give every request an id that its lines, its tasks and its answer carry, and say how it ended."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moondev.domain.clock import monotonic
from moondev.logs.context import log_context
from moondev.traces.spans import request_stage

logger = logging.getLogger(__name__)

HEADER = b"x-request-id"
# What a client may call its request; anything else gets an id of ours.
_ALLOWED = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Requests:
    """Wraps the whole web application. Reads that go well are told in detail logs only: there are many."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a websocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request = _id_of(scope)
        with log_context(request=request), request_stage(request, about={"method": scope.get("method", "websocket")}):
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._serve(scope, receive, send, request)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request: str) -> None:
        began, status = monotonic(), HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def naming(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request.encode("ascii"))]
            await send(message)

        try:
            await self._app(scope, receive, naming)
        finally:
            level = _level(scope["method"], status)
            if logger.isEnabledFor(level):
                # Without its query: people put secrets there.
                took = (monotonic() - began) * 1000
                client = scope["client"][0] if scope.get("client") else "-"
                what = (scope["method"], scope["path"], client, status, took)
                logger.log(level, "%s %s from %s: %s in %.1f ms", *what)


def _id_of(scope: Scope) -> str:
    given: bytes = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return given.decode("ascii") if _ALLOWED.fullmatch(given) else uuid4().hex


def _level(method: str, status: int) -> int:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.ERROR
    refused = status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return logging.INFO if refused or method not in _READS else logging.DEBUG
