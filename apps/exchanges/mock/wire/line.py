"""One websocket client of any venue: what it is still owed, and the faults on its line."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Protocol

from aiohttp import WSMsgType

from apps.exchanges.mock.faults import FaultBook, FaultKind
from moondev.domain.clock import monotonic

logger = logging.getLogger(__name__)

WS_PATH = "/ws"
_OUT_OF_ORDER_SECONDS = 0.25
_SHAPING = (FaultKind.WS_GAP, FaultKind.WS_STALL, FaultKind.WS_DUPLICATE, FaultKind.WS_OUT_OF_ORDER)


class Socket(Protocol):
    """The part of a websocket a line writes to."""

    async def send_frame(self, message: bytes, opcode: WSMsgType, compress: int | None = None) -> None:
        """Write one frame, waiting while the client's line is full."""
        ...


class Line:
    """A client on the line. `send` never waits: what the client cannot take in time cuts it off."""

    def __init__(self, socket: Socket, ip: str, venue: str, faults: FaultBook, max_backlog: int) -> None:
        """Write to `socket` for `venue`; `max_backlog` messages may wait before the client counts as too slow."""
        self.ip = ip
        self.last_sent = monotonic()
        self.cut = asyncio.Event()
        self._socket = socket
        self._venue = venue
        self._faults = faults
        self._max_backlog = max_backlog
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._swapped: bytes | None = None

    def send(self, channel: str, message: bytes) -> None:
        """Owe the client `message`, unless a fault on its line has other plans."""
        if self._faults.has(*_SHAPING):
            self._send_shaped(channel, message)
        else:
            self._owe(message)

    async def write_all(self) -> None:
        """Write what is owed until the connection is cut. Cancelled by its owner."""
        while not self.cut.is_set():
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._wait_out_stall()
                await self._socket.send_frame(self._queue.popleft(), WSMsgType.TEXT)
                self.last_sent = monotonic()

    def _owe(self, message: bytes) -> None:
        if self.cut.is_set():
            return
        self._queue.append(message)
        if len(self._queue) > self._max_backlog:
            logger.warning("client %s is too slow: %d messages behind, cut off", self.ip, len(self._queue))
            self._queue.clear()
            self.cut.set()
        self._wake.set()

    async def _wait_out_stall(self) -> None:
        left = self._faults.seconds_left(FaultKind.WS_STALL, self._venue, WS_PATH, "")
        if left > 0:
            await asyncio.sleep(left)

    def _send_shaped(self, channel: str, message: bytes) -> None:
        where = (self._venue, WS_PATH, channel)
        if self._faults.seconds_left(FaultKind.WS_GAP, *where) > 0:
            return
        if self._swapped is not None:
            held, self._swapped = self._swapped, None
            self._owe(message)
            self._owe(held)
            return
        if self._faults.strike(FaultKind.WS_OUT_OF_ORDER, *where):
            self._swapped = message
            asyncio.get_running_loop().call_later(_OUT_OF_ORDER_SECONDS, self._release_swapped)
            return
        self._owe(message)
        if self._faults.strike(FaultKind.WS_DUPLICATE, *where):
            self._owe(message)

    def _release_swapped(self) -> None:
        held, self._swapped = self._swapped, None
        if held is not None:
            self._owe(held)
