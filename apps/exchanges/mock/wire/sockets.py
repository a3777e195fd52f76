"""Serving websockets: one line per client, read and written until either side has enough."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from aiohttp import WSMsgType, web

from apps.exchanges.mock.faults import FaultBook, FaultKind
from apps.exchanges.mock.wire.line import WS_PATH, Line, Socket

L = TypeVar("L", bound=Line)
_LARGEST_MESSAGE = 4_194_304


class SocketHost(Generic[L]):
    """All websocket clients of one venue. `lines` are those on the line now."""

    def __init__(self, venue: str, faults: FaultBook, open_line: Callable[[Socket, web.Request], L]) -> None:
        """Make a line of every new client with `open_line`."""
        self.lines: set[L] = set()
        self._venue, self._faults, self._open_line = venue, faults, open_line

    async def serve(
        self,
        request: web.Request,
        on_open: Callable[[L], None],
        on_text: Callable[[L, str], None],
        on_close: Callable[[L], None],
    ) -> web.StreamResponse:
        """Speak with one client until it leaves or is cut off."""
        if self._faults.seconds_left(FaultKind.WS_REFUSE, self._venue, WS_PATH, "") > 0:
            return web.Response(status=503, text="Service Unavailable")
        socket = web.WebSocketResponse(compress=False, max_msg_size=_LARGEST_MESSAGE)
        await socket.prepare(request)
        line = self._open_line(_Sender(socket), request)
        self.lines.add(line)
        on_open(line)
        tasks = [
            asyncio.create_task(line.write_all()),
            asyncio.create_task(_read(socket, line, on_text)),
            asyncio.create_task(line.cut.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.lines.discard(line)
            on_close(line)
            await _end(tasks)
            if line.cut.is_set() and request.transport is not None:
                request.transport.abort()
        return socket

    def disconnect_all(self) -> int:
        """Cut every connection. Returns how many there were."""
        for line in self.lines:
            line.cut.set()
        return len(self.lines)


class _Sender:
    """Gives a line aiohttp's socket without its reading half."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        await self._socket.send_frame(message, opcode, compress)


async def _read(socket: web.WebSocketResponse, line: L, on_text: Callable[[L, str], None]) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            on_text(line, message.data)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await task
