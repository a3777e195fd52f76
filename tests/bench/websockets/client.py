"""``python -m tests.bench.websockets.client``: many followers of the topic of prices in one process, beside the server.

Each is a plain socket: what a library does to a message would be measured as the server's. The moment at which a price
was written is the price itself (seconds of the machine's monotonic clock, which all processes share).
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import resource
import struct
import sys
import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

CONNECTING_AT_ONCE = 20
CONNECT_S = 120.0
_MARK = re.compile(rb'"mark":([0-9.]+)')
SHORT, MIDDLE = 126, 127
OPCODE, TEXT, PING, PONG = 0x0F, 0x1, 0x9, 0xA


@dataclass(slots=True)
class Heard:
    """What all followers together have heard since `since`."""

    since: float = float("inf")
    ages_ms: array[float] = field(default_factory=lambda: array("d"))
    bytes: int = 0


class Follower(asyncio.Protocol):
    """One websocket: subscribes, and notes how old each message's newest price is when it is here."""

    def __init__(self, hello: bytes, say: bytes, heard: Heard) -> None:
        self._hello, self._say, self._heard = hello, say, heard
        self._rest = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.messages = 0
        self.lost = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._hello)

    def connection_lost(self, error: Exception | None) -> None:
        """Note that this one hears nothing any more."""
        self.lost = True
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("refused"))

    def data_received(self, data: bytes) -> None:
        """Take in what has come."""
        data = self._rest + data if self._rest else data
        if not self.opened.done():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            if b" 101 " not in head[:16]:
                self.opened.set_exception(ConnectionError(head[:200].decode("latin-1")))
                return
            self.opened.set_result(None)
            assert self._transport is not None
            self._transport.write(self._say)
        self._rest = self._frames(data)

    def _frames(self, data: bytes) -> bytes:
        at = 0
        while len(data) - at >= 2:
            size, head = data[at + 1], 2
            if size == SHORT:
                head = 4
            elif size == MIDDLE:
                head = 10
            if len(data) - at < head:
                break
            if head > 2:
                size = int.from_bytes(data[at + 2 : at + head], "big")
            if len(data) - at < head + size:
                break
            self._take(data[at] & OPCODE, data[at + head : at + head + size])
            at += head + size
        return data[at:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode != PING:
            self._hear(payload)
        elif self._transport is not None:
            # Who does not answer is taken for gone, and let go.
            self._transport.write(masked(payload, PONG))

    def _hear(self, payload: bytes) -> None:
        now, heard = time.monotonic(), self._heard
        marks = _MARK.findall(payload)
        if not marks or now < heard.since:
            return
        self.messages += 1
        heard.bytes += len(payload)
        heard.ages_ms.append((now - max(map(float, marks))) * 1000)


def masked(body: bytes, opcode: int = TEXT) -> bytes:
    """Return a frame as clients send it."""
    mask, first = os.urandom(4), 0x80 | opcode
    assert len(body) < 65_536
    head = (
        struct.pack("!BBH", first, 0x80 | SHORT, len(body)) if len(body) >= SHORT else bytes((first, 0x80 | len(body)))
    )
    return head + mask + bytes(one ^ mask[index % 4] for index, one in enumerate(body))


async def follow(port: int, token: str, count: int, pace: float, seconds: float) -> dict[str, object]:
    """Connect, say so on standard output, wait for a line on standard input, listen; return what was heard."""
    loop, heard = asyncio.get_running_loop(), Heard()
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)
    say = masked(json.dumps({"do": "pace", "per_second": pace}).encode())
    say += masked(json.dumps({"do": "subscribe", "topics": ["prices"]}).encode())

    async def connect() -> Follower:
        key = base64.b64encode(os.urandom(16)).decode()
        hello = (
            f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()
        async with gate:
            _, follower = await loop.create_connection(lambda: Follower(hello, say, heard), "127.0.0.1", port)
            await asyncio.wait_for(follower.opened, CONNECT_S)
        return follower

    began = time.monotonic()
    followers = await asyncio.gather(*(connect() for _ in range(count)))
    tell({"connected": len(followers), "seconds": time.monotonic() - began})
    await loop.run_in_executor(None, sys.stdin.readline)
    heard.since = time.monotonic()
    await asyncio.sleep(seconds)
    heard.since, listened = float("inf"), time.monotonic() - heard.since
    counts = sorted(follower.messages for follower in followers)
    ages = sorted(heard.ages_ms)
    return {
        "messages": len(ages), "seconds": listened, "bytes": heard.bytes, "lost": sum(one.lost for one in followers),
        "fewest": counts[0], "most": counts[-1], "worst_ms": ages[-1] if ages else None,
        "percentiles": {p: ages[max(-(-len(ages) * p // 100), 1) - 1] for p in (50, 99)} if ages else {},
    }  # fmt: skip


def tell(what: Mapping[str, object]) -> None:
    """Say something to the benchmark."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Follow as the command line says; print what was heard."""
    port, count = int(sys.argv[1]), int(sys.argv[2])
    pace, seconds = float(sys.argv[3]), float(sys.argv[4])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    tell(asyncio.run(follow(port, os.environ["STREAM_TOKEN"], count, pace, seconds)))


if __name__ == "__main__":
    main()
