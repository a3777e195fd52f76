"""Do a write once however often it arrives: the same idempotency key gets the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.monitor.api.answers import Another, Answer, UnderWay, answer_claim, answer_forget, answer_keep
from apps.monitor.api.people import SAFE, caller_of
from apps.monitor.api.problems import refuse
from apps.monitor.api.threads import in_thread
from moondev.domain.clock import LiveClock

KEY = "idempotency-key"
LONGEST_KEY = 100


class Once:
    """Gives the kept answer to a request that has been made before; one that was refused may be made again."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        caller = caller_of(scope)
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if caller is None or KEY not in headers or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return
        key = headers[KEY]
        if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
            words = f"Idempotency-Key has 1 to {LONGEST_KEY} printable characters"
            await refuse(scope, receive, send, HTTPStatus.BAD_REQUEST, words)
            return
        name = (caller.owner, key)
        found = await in_thread(answer_claim, *name, _digest(scope, headers), LiveClock().now())
        match found:
            case None:
                await self._work(scope, receive, send, name)
            case Answer():
                await _send(send, found, {"idempotency-replayed": "true"})
            case UnderWay():
                words = "the same request is being worked on"
                await refuse(scope, receive, send, HTTPStatus.CONFLICT, words, {"Retry-After": "1"})
            case Another():
                words = "this Idempotency-Key was used for another request"
                await refuse(scope, receive, send, HTTPStatus.UNPROCESSABLE_ENTITY, words)

    async def _work(self, scope: Scope, receive: Receive, send: Send, name: tuple[str, str]) -> None:
        """Answer a request for the first time, and keep the answer unless it is a refusal."""
        hearing = _Hearing()
        try:
            await self._app(scope, receive, hearing)
        finally:
            if hearing.status < HTTPStatus.BAD_REQUEST:
                await in_thread(answer_keep, *name, hearing.answer())
            else:
                await in_thread(answer_forget, *name)
            await _send(send, hearing.answer(), {})


class _Hearing:
    """Takes an answer in instead of sending it. Until there is one it is a failure."""

    def __init__(self) -> None:
        self.status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self._headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    def answer(self) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers}
        return Answer(self.status, headers, bytes(self._body))


async def _send(send: Send, answer: Answer, more: Mapping[str, str]) -> None:
    headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in {**answer.headers, **more}.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _digest(scope: Scope, headers: Headers) -> str:
    parts = (
        scope["method"].encode(), scope["path"].encode(), scope.get("query_string", b""),
        headers.get("if-match", "").encode(), scope["state"]["body"],
    )  # fmt: skip
    return hashlib.sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()
