"""The mock exchange as a server: an engine and a wire per venue, one control, on the loopback interface only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from apps.exchanges.mock.control import Control
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.relay.feed import RelayFeed
from apps.exchanges.mock.relay.source import Source
from apps.exchanges.mock.venues import HYPERLIQUID, VENUES
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.hyperliquid.http import PREFIX, HyperliquidWire
from apps.exchanges.mock.wire.port import Wire
from moondev.domain.clock import Clock, monotonic

__all__ = ["HOST", "PREFIX", "MockServer", "build", "build_venues", "serve"]

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_TICK_SECONDS = 0.02
# Longer than any pause of a client that trades, so that none loses a request to a connection that just ended.
_KEEPALIVE_SECONDS = 900.0
_LARGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MockServer:
    """An application that is ready to be served, and the parts a test may want to reach, by venue."""

    app: web.Application
    wires: Mapping[str, Wire]

    @property
    def exchange(self) -> Exchange:
        """Return the engine of the first venue."""
        return next(iter(self.wires.values())).exchange

    @property
    def wire(self) -> HyperliquidWire:
        """Return Hyperliquid's wire. Raises KeyError when the server does not speak it."""
        return cast(HyperliquidWire, self.wires[HYPERLIQUID])


def build(exchange: Exchange, clock: Clock, config: WireConfig, seed: int = 0) -> MockServer:
    """Put Hyperliquid's wire and the control around `exchange`; `seed` fixes the draws of faults."""
    return build_venues({HYPERLIQUID: exchange}, clock, config, seed)


def build_venues(exchanges: Mapping[str, Exchange], clock: Clock, config: WireConfig, seed: int = 0) -> MockServer:
    """Put each venue's wire around its exchange, and one control around all; `seed` fixes the draws of faults."""
    faults = FaultBook(seed)
    wires: dict[str, Wire] = {
        name: VENUES[name].wire(exchange, clock, VENUES[name].wire_config(config), faults)
        for name, exchange in exchanges.items()
    }
    app = web.Application(client_max_size=_LARGEST_BODY)
    for wire in wires.values():
        app.add_routes(wire.routes())
    app.add_routes(Control(wires, clock, config, faults).routes())
    app.cleanup_ctx.append(_running(list(wires.values()), clock, config))
    app.on_shutdown.append(_hang_up(wires))
    return MockServer(app, wires)


def _hang_up(wires: Mapping[str, Wire]) -> Callable[[web.Application], Awaitable[None]]:
    async def hang_up(_: web.Application) -> None:
        for wire in wires.values():
            wire.disconnect_all()

    return hang_up


def _running(
    wires: Sequence[Wire], clock: Clock, config: WireConfig
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def context(_: web.Application) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(_drive([wire.exchange for wire in wires], clock), name="drive the markets"),
            asyncio.create_task(_push(wires, config.book_interval_ms / 1000), name="push the latest"),
            *(asyncio.create_task(source.run(), name=f"relay {source.venue}") for source in _sources(wires)),
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


def _sources(wires: Sequence[Wire]) -> list[Source]:
    """Return each live venue that is relayed, once."""
    feeds = (wire.exchange.feed for wire in wires)
    return list({id(feed.source): feed.source for feed in feeds if isinstance(feed, RelayFeed)}.values())


async def _drive(exchanges: Sequence[Exchange], clock: Clock) -> None:
    pause = _TICK_SECONDS / len(exchanges)
    while True:
        for exchange in exchanges:
            exchange.tick(clock.now())
            # Between venues, so that no request waits for all of them.
            await asyncio.sleep(pause)


async def _push(wires: Sequence[Wire], seconds: float) -> None:
    pause = seconds / len(wires)
    while True:
        for wire in wires:
            wire.push_latest(monotonic())
            await asyncio.sleep(pause)


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
