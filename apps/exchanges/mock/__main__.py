"""Start the mock exchange: `python -m apps.exchanges.mock --help`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal

import uvloop

from apps.exchanges.mock.market import MarketOptions, open_markets
from apps.exchanges.mock.server import MockServer, build_venues, serve
from apps.exchanges.mock.venues import ALL, HYPERLIQUID, VENUES, venues_named
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address, read_decimal
from apps.exchanges.mock.wire.port import AccountRequest
from moondev.domain.errors import TradingError

DEFAULT_PORT = 8001
DEFAULT_DEPOSIT = Decimal(100_000)
_COLLECT_AFTER = (50_000, 20, 50)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    cli = argparse.ArgumentParser(prog="python -m apps.exchanges.mock", description=__doc__)
    cli.add_argument("--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1; 0 takes a free one (default 8001)")
    cli.add_argument(
        "--feed",
        default="synthetic",
        help="synthetic (default), none, relay:VENUE (a live venue's public stream; relay:VENUE@ws://... elsewhere), "
        "or a Parquet file of candles, trades or L2",
    )
    cli.add_argument("--speed", type=_above_zero, default=1.0, help="of a recorded feed when MOONDEV_CLOCK is not set")
    cli.add_argument("--seed", type=int, default=1, help="of the synthetic market and of faults (default 1)")
    cli.add_argument("--coins", type=_words, default=("BTC", "ETH", "SOL"), help="default BTC,ETH,SOL")
    cli.add_argument("--venues", type=_words, default=(ALL,), help=f"{ALL} (default), or some of {', '.join(VENUES)}")
    cli.add_argument("--limits", choices=("on", "off"), default="on", help="the venue's rate limits (default on)")
    cli.add_argument("--deposit", type=_decimal, default=DEFAULT_DEPOSIT, help="of a new account (default 100000)")
    cli.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="ADDRESS[:DEPOSIT]",
        help="open this account at Hyperliquid; repeatable",
    )
    cli.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VENUE:KEY:SECRET",
        help="open an account called KEY at VENUE, with this API key and secret; repeatable",
    )
    cli.add_argument(
        "--chain-account",
        action="append",
        default=[],
        metavar="VENUE:ADDRESS:PUBLIC_KEY",
        help="open an account of a chain, with its compressed public key in base64; repeatable",
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
        for name, request in _accounts(options):
            if name not in server.wires:
                raise ValueError(f"{name} is not one of the venues that are served: {', '.join(server.wires)}")
            server.wires[name].open_account(request)
    except (TradingError, ValueError, OSError) as error:
        cli.error(str(error))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    uvloop.run(_serve(server, options.port))
    return 0


def _build(options: argparse.Namespace) -> MockServer:
    market = MarketOptions(options.feed, options.coins, options.seed, options.speed)
    exchanges, clock = open_markets(market, venues_named(options.venues))
    config = WireConfig(
        limits=options.limits == "on",
        book_interval_ms=max(1, options.book_interval_ms),
        schedule_cancel_volume=options.schedule_cancel_volume,
        default_deposit=options.deposit,
    )
    return build_venues(exchanges, clock, config, options.seed)


def _accounts(options: argparse.Namespace) -> Iterator[tuple[str, AccountRequest]]:
    """Yield the accounts of the command line, each with its venue."""
    for account in options.account:
        address, _, deposit = account.partition(":")
        amount = _decimal(deposit) if deposit else options.deposit
        yield HYPERLIQUID, AccountRequest(read_address("--account", address), amount)
    for text in options.key:
        venue, key, secret = _three("--key", text)
        yield venue, AccountRequest(key.lower(), options.deposit, api_key=key, api_secret=secret)
    for text in options.chain_account:
        venue, address, public_key = _three("--chain-account", text)
        yield venue, AccountRequest(address.lower(), options.deposit, public_key=public_key)


def _three(option: str, text: str) -> tuple[str, str, str]:
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"{option} must be three words with a colon between them, got {text!r}")
    return parts[0], parts[1], parts[2]


async def _serve(server: MockServer, port: int) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(server, port, stop, lambda url: _announce(url, list(server.wires)))


def _announce(url: str, venues: Sequence[str]) -> None:
    sys.stdout.write(f"mock exchange ready: {', '.join(venues)} at {url}, control at {url}/admin\n")
    sys.stdout.flush()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


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
