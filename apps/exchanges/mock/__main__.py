"""Start the mock exchange: `python -m apps.exchanges.mock --help`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import uvloop

from apps.exchanges.mock.demo import DemoAccount, demo_accounts
from apps.exchanges.mock.market import MarketOptions, open_markets
from apps.exchanges.mock.server import MockServer, build_venues, serve
from apps.exchanges.mock.venues import ALL, HYPERLIQUID, VENUES, venues_named
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address, read_decimal
from apps.exchanges.mock.wire.port import AccountRequest
from moondev.domain.errors import TradingError
from moondev.garbage import rarely_collect

DEFAULT_PORT = 8001
DEFAULT_DEPOSIT = Decimal(100_000)


class BadOptionError(Exception):
    """Carry what is wrong with an option, found out when its account was to be opened."""


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
    cli.add_argument("--demo", action="store_true", help="open a funded account at every venue, with the README's keys")
    cli.add_argument(
        "--spot-deposit",
        type=_decimal,
        default=None,
        help="quote currency at the spot market of each account opened here (default: --deposit with --demo, else 0)",
    )
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
    except (TradingError, ValueError, OSError) as error:
        cli.error(str(error))
    rarely_collect()
    try:
        uvloop.run(_serve(server, options))
    except BadOptionError as error:
        cli.error(str(error))
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


def _open_accounts(server: MockServer, options: argparse.Namespace) -> Mapping[str, DemoAccount]:
    """Open every account of the command line, on the loop as over the wire; return those of the demo."""
    demo = dict(demo_accounts(list(server.wires), options.deposit)) if options.demo else {}
    try:
        for name, request in [*_accounts(options), *((name, one.request) for name, one in demo.items())]:
            _open(server, name, request, options)
    except (TradingError, ValueError) as error:
        raise BadOptionError(str(error)) from error
    return demo


def _open(server: MockServer, name: str, request: AccountRequest, options: argparse.Namespace) -> None:
    """Open an account, with something to spend at the spot market where there is one."""
    if name not in server.wires:
        raise ValueError(f"{name} is not one of the venues that are served: {', '.join(server.wires)}")
    wire = server.wires[name]
    wire.open_account(request)
    spot = options.spot_deposit
    if spot is None:
        spot = options.deposit if options.demo else Decimal(0)
    for quote in {spec.quote for spec in wire.exchange.spot_specs()} if spot else ():
        wire.exchange.deposit_asset(request.address, quote, spot)


def _three(option: str, text: str) -> tuple[str, str, str]:
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"{option} must be three words with a colon between them, got {text!r}")
    return parts[0], parts[1], parts[2]


async def _serve(server: MockServer, options: argparse.Namespace) -> None:
    demo = _open_accounts(server, options)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(server, options.port, stop, lambda url: _announce(url, list(server.wires), demo))


def _announce(url: str, venues: Sequence[str], demo: Mapping[str, DemoAccount]) -> None:
    sys.stdout.write(f"mock exchange ready: {', '.join(venues)} at {url}, control at {url}/admin\n")
    for name, account in demo.items():
        sys.stdout.write(f"  {name}: {account.credentials}\n")
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
