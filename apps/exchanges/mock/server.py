"""The mock exchange as a server: one engine, its wires and its control, on the loopback interface only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from apps.exchanges.mock.control import Control
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.hyperliquid.http import HyperliquidWire
from apps.exchanges.mock.wire.hyperliquid.venue import Venue, WireConfig
from moondev.domain.clock import Clock, monotonic

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
PREFIX = "/hl"
_TICK_SECONDS = 0.02
# Longer than any pause of a client that trades, so that none loses a request to a connection that just ended.
_KEEPALIVE_SECONDS = 900.0
_LARGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MockServer:
    """An application that is ready to be served, and the parts a test may want to reach."""

    app: web.Application
    exchange: Exchange
    wire: HyperliquidWire


def build(exchange: Exchange, clock: Clock, config: WireConfig, seed: int = 0) -> MockServer:
    """Put the wires and the control around `exchange`; `seed` fixes the draws of faults."""
    wire = HyperliquidWire(Venue(exchange, clock, config, FaultBook(seed)))
    app = web.Application(client_max_size=_LARGEST_BODY)
    app.add_routes(wire.routes(PREFIX))
    app.add_routes(Control(exchange, wire).routes())
    app.cleanup_ctx.append(_running(exchange, clock, wire))
    app.on_shutdown.append(_hang_up(wire))
    return MockServer(app, exchange, wire)


def _hang_up(wire: HyperliquidWire) -> Callable[[web.Application], Awaitable[None]]:
    async def hang_up(_: web.Application) -> None:
        wire.sockets.hub.disconnect_all()

    return hang_up


def _running(
    exchange: Exchange, clock: Clock, wire: HyperliquidWire
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(_: web.Application) -> AsyncIterator[None]:
        push_seconds = wire.venue.config.book_interval_ms / 1000
        tasks = [
            asyncio.create_task(_drive(exchange, clock), name="drive the market"),
            asyncio.create_task(_push(wire, push_seconds), name="push the latest"),
        ]
        for task in tasks:
            task.add_done_callback(_fail_loudly)
        yield
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return context


async def _drive(exchange: Exchange, clock: Clock) -> None:
    while True:
        exchange.tick(clock.now())
        await asyncio.sleep(_TICK_SECONDS)


async def _push(wire: HyperliquidWire, seconds: float) -> None:
    while True:
        wire.push_latest(monotonic())
        await asyncio.sleep(seconds)


def _fail_loudly(task: asyncio.Task[None]) -> None:
    if task.cancelled() or task.exception() is None:
        return
    logger.critical("%s: the venue stands still", task.get_name(), exc_info=task.exception())
    raise SystemExit(1)


async def serve(server: MockServer, port: int, stop: asyncio.Event, on_ready: Callable[[str], None]) -> None:
    """Serve on 127.0.0.1 at `port` (0: a free one) until `stop` is set.

    `on_ready` is called once with the address, for example http://127.0.0.1:8001.
    """
    runner = web.AppRunner(server.app, access_log=None, keepalive_timeout=_KEEPALIVE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        on_ready(f"http://{HOST}:{runner.addresses[0][1]}")
        await stop.wait()
    finally:
        await runner.cleanup()
