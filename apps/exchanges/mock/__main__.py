"""Start the mock exchange: `python -m apps.exchanges.mock --help`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Sequence
from decimal import Decimal

import uvloop

from apps.exchanges.mock.market import MarketOptions, open_market
from apps.exchanges.mock.server import PREFIX, MockServer, build, serve
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address, read_decimal
from apps.exchanges.mock.wire.hyperliquid.venue import WireConfig
from moondev.domain.errors import TradingError

DEFAULT_PORT = 8001
DEFAULT_DEPOSIT = Decimal(100_000)
_COLLECT_AFTER = (50_000, 20, 50)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    cli = argparse.ArgumentParser(prog="python -m apps.exchanges.mock", description=__doc__)
    cli.add_argument("--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1; 0 takes a free one (default 8001)")
    cli.add_argument(
        "--feed", default="synthetic", help="synthetic (default), none, or a Parquet file of candles, trades or L2"
    )
    cli.add_argument("--speed", type=_above_zero, default=1.0, help="of a recorded feed when MOONDEV_CLOCK is not set")
    cli.add_argument("--seed", type=int, default=1, help="of the synthetic market and of faults (default 1)")
    cli.add_argument("--coins", type=_coins, default=("BTC", "ETH", "SOL"), help="default BTC,ETH,SOL")
    cli.add_argument("--limits", choices=("on", "off"), default="on", help="the venue's rate limits (default on)")
    cli.add_argument("--deposit", type=_decimal, default=DEFAULT_DEPOSIT, help="of a new account (default 100000)")
    cli.add_argument(
        "--account", action="append", default=[], metavar="ADDRESS[:DEPOSIT]", help="open this account; repeatable"
    )
    cli.add_argument("--book-interval-ms", type=int, default=100, help="least time between two pushes of a book")
    cli.add_argument(
        "--schedule-cancel-volume",
        type=_decimal,
        default=Decimal(0),
        help="dollars to trade before scheduleCancel works (default 0; 1000000 at the venue)",
    )
    cli.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    return cli


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit code; bad options are told on stderr."""
    cli = parser()
    options = cli.parse_args(argv)
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        server = _build(options)
        for account in options.account:
            address, _, deposit = account.partition(":")
            server.wire.venue.open_account(
                read_address("--account", address), _decimal(deposit) if deposit else options.deposit
            )
    except (TradingError, ValueError, OSError) as error:
        cli.error(str(error))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    uvloop.run(_serve(server, options.port))
    return 0


def _build(options: argparse.Namespace) -> MockServer:
    market = MarketOptions(options.feed, options.coins, options.seed, options.speed)
    exchange, clock = open_market(market)
    config = WireConfig(
        limits=options.limits == "on",
        book_interval_ms=max(1, options.book_interval_ms),
        schedule_cancel_volume=options.schedule_cancel_volume,
        default_deposit=options.deposit,
    )
    return build(exchange, clock, config, options.seed)


async def _serve(server: MockServer, port: int) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(server, port, stop, _announce)


def _announce(url: str) -> None:
    sys.stdout.write(f"mock exchange ready: Hyperliquid at {url}{PREFIX}, control at {url}/admin\n")
    sys.stdout.flush()


def _coins(text: str) -> tuple[str, ...]:
    return tuple(coin.strip() for coin in text.split(",") if coin.strip())


def _decimal(text: str) -> Decimal:
    try:
        return read_decimal("amount", text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _above_zero(text: str) -> float:
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a finite number above 0, got {text}")
    return speed


if __name__ == "__main__":
    sys.exit(main())
