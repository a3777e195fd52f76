"""A venue that says everything it has prepared as fast as it is told to: ``python -m tests.bench.flood.source``.

It takes one line at a time on standard input, ``rate 10000`` or ``rate flat`` or ``rate 0``, and answers each with a
line of JSON: how much it has sent so far, and how much it should have. Only this machine can reach it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from itertools import cycle, islice
from typing import Any

import msgspec
import uvloop
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from tests.bench.flood.messages import MIXES, frames

HOST = "127.0.0.1"
CYCLE = 20_000
TICK_S = 0.001
# A reader that falls behind by more than this is not sent more: what waits here waits for nobody's good.
MOST_UNREAD_BYTES = 2_000_000
FLAT_BYTES = 200_000
# After a pause of this process it does not make good more than so many ticks at once.
MOST_TICKS = 20


class Source:
    """One connection's flood."""

    def __init__(self, symbols: list[str], mix: str) -> None:
        self._frames = cycle(frames(symbols, mix, CYCLE))
        self._transport: WSTransport | None = None
        self.rate = 0.0
        self.flat = False
        self.sent = 0
        self.planned = 0.0

    def connected(self, transport: WSTransport | None) -> None:
        """Send to this connection from now on."""
        self._transport = transport

    async def run(self) -> None:
        """Send what is due, every millisecond."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            passed, last = min(now - last, MOST_TICKS * TICK_S), now
            if self._transport is not None:
                self._send(self._transport.underlying_transport, passed)

    def _send(self, out: Any, passed: float) -> None:
        unread = out.get_write_buffer_size()
        if self.flat:
            due = 200 if unread < FLAT_BYTES else 0
            self.planned = self.sent + due
        else:
            self.planned += self.rate * passed
            due = int(self.planned - self.sent) if unread < MOST_UNREAD_BYTES else 0
        if due > 0:
            stamp = time.time() * 1000
            now, minute = str(int(stamp)).encode(), str(int(stamp // 60_000) * 60_000).encode()
            out.write(b"".join([frame.stamped(now, minute) for frame in islice(self._frames, due)]))
            self.sent += due


class Door(WSListener):
    """Answers subscriptions as the venue does; the flood begins when it is told to."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._source.connected(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._source.connected(None)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        said = msgspec.json.decode(frame.get_payload_as_bytes())
        answer = {"channel": "pong"} if said["method"] == "ping" else {"channel": "subscriptionResponse", "data": said}
        transport.send(WSMsgType.TEXT, msgspec.json.encode(answer))


def main() -> None:
    """Serve until standard input ends."""
    cli = argparse.ArgumentParser(prog="python -m tests.bench.flood.source", description=__doc__)
    cli.add_argument("--socket-port", type=int, required=True)
    cli.add_argument("--http-port", type=int, required=True)
    cli.add_argument("--symbols", required=True, help="separated by commas")
    cli.add_argument("--mix", choices=list(MIXES), required=True)
    options = cli.parse_args()
    source = Source(options.symbols.split(","), options.mix)
    gc.freeze()
    uvloop.run(_serve(source, options.socket_port, options.http_port))


async def _serve(source: Source, socket_port: int, http_port: int) -> None:
    server = await ws_create_server(lambda _: Door(source), HOST, socket_port)
    runner = web.AppRunner(_rest())
    await runner.setup()
    await web.TCPSite(runner, HOST, http_port).start()
    flood = asyncio.create_task(source.run())
    try:
        await _obey(source)
    finally:
        flood.cancel()
        server.close()
        await runner.cleanup()


def _rest() -> web.Application:
    """Return the half of the venue that has no history to tell."""

    async def nothing(_: web.Request) -> web.Response:
        return web.json_response([])

    application = web.Application()
    application.add_routes([web.post("/info", nothing)])
    return application


async def _obey(source: Source) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        _, _, rate = line.decode().strip().partition(" ")
        source.flat = rate == "flat"
        source.rate = 0.0 if source.flat else float(rate)
        answer = {"sent": source.sent, "planned": int(source.planned)}
        source.planned = source.sent
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
