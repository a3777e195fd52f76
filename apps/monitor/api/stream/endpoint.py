"""The address of the stream: lets people in, and keeps one hub for all of them."""

from __future__ import annotations

import asyncio
import json
import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from apps.monitor.api.problems import MEDIA_TYPE, Problem
from apps.monitor.api.stream.hub import Hub
from apps.monitor.api.stream.offered import topics
from apps.monitor.api.stream.reading import Threads
from apps.monitor.api.stream.socket import Conversation
from apps.monitor.api.stream.visitors import Visitors
from moondev.domain.clock import process_clock

# How long somebody who was logged out may go on looking, real seconds.
LOOK_AGAIN_SECONDS = 30.0


class Stream:
    """An ASGI application for one websocket address."""

    def __init__(self) -> None:
        """Read nothing until somebody follows something."""
        clock = process_clock()
        logging.getLogger("uvicorn.error").addFilter(_is_no_refusal)
        self._topics = topics()
        self._visitors = Visitors(self._topics)
        self._threads = Threads(clock)
        self._hub = Hub(self._threads.read, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client."""
        socket = WebSocket(scope, receive, send)
        try:
            allowed = await self._visitors.topics_for(socket)
        except HTTPException as error:
            await socket.send_denial_response(_problem(error, scope))
            return
        await socket.accept()
        await Conversation(socket, self._hub, self._topics, allowed).run(self._until_changed(socket, allowed))

    async def _until_changed(self, socket: WebSocket, allowed: frozenset[str]) -> None:
        """Return once this person may no longer follow what they could follow when they came."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            try:
                if await self._visitors.topics_for(socket) != allowed:
                    return
            except HTTPException:
                return

    async def close(self) -> None:
        """Stop reading, for good."""
        await self._hub.close()
        await self._threads.close()
        self._topics.close()


def _is_no_refusal(line: logging.LogRecord) -> bool:
    """Return whether a line says more than that somebody was not let in, which uvicorn takes for an error of ours."""
    return line.msg != "ASGI callable returned without completing handshake."


def _problem(error: HTTPException, scope: Scope) -> Response:
    title = HTTPStatus(error.status_code).phrase
    told = Problem(title=title, status=error.status_code, detail=error.detail, instance=str(scope["path"]))
    return Response(json.dumps(told.model_dump()), error.status_code, media_type=MEDIA_TYPE)
