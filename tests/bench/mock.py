"""The mock exchange with a market of many coins that moves at a stated pace: ``python -m tests.bench.mock``.

The server, the engine and the wire are the mock's own. Only the pace differs: fifty coins at the pace of three would
take a core for the market alone, and what is measured here is the platform.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal

import uvloop

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.feed.flow import Flow
from apps.exchanges.mock.engine.feed.setup import synthetic
from apps.exchanges.mock.engine.feed.synthetic import SyntheticConfig
from apps.exchanges.mock.server import build, serve
from apps.exchanges.mock.wire.config import WireConfig
from moondev.domain.clock import process_clock


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    cli = argparse.ArgumentParser(prog="python -m tests.bench.mock", description=__doc__)
    cli.add_argument("--port", type=int, required=True)
    cli.add_argument("--coins", required=True, help="separated by commas")
    cli.add_argument("--updates", type=float, required=True, help="changes of a book per second and coin")
    cli.add_argument("--trades", type=float, required=True, help="trades per second and coin")
    cli.add_argument("--limits", choices=("on", "off"), required=True)
    cli.add_argument("--book-interval-ms", type=int, required=True, help="least time between two pushes of a book")
    options = cli.parse_args()
    market = SyntheticConfig(
        coins=tuple(options.coins.split(",")), updates_per_second=options.updates, flow=Flow(rate=options.trades)
    )
    setup, clock = synthetic(market), process_clock()
    exchange = Exchange(setup.specs, clock, setup.marks)
    exchange.attach(setup.feed)
    config = WireConfig(limits=options.limits == "on", book_interval_ms=options.book_interval_ms)
    server = build(exchange, clock, config)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)

    async def session() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(server, options.port, stop, print)

    uvloop.run(session())


if __name__ == "__main__":
    main()
