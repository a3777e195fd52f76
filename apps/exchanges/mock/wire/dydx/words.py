"""dYdX's words: tickers, names of orders, times, and what its numbers stand for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID, uuid5

VENUE = PREFIX_WORD = "dydx"
PREFIX = f"/{PREFIX_WORD}"
# An unmodified ccxt signs for the main chain; who wants signatures that are worth nothing there signs for the test one.
CHAINS = ("dydx-testnet-4", "dydx-mainnet-1")
QUOTE = "USDC"
# The engine keeps one purse per address, which is this subaccount's.
SUBACCOUNT = 0

SHORT_TERM, CONDITIONAL, LONG_TERM = 0, 32, 64
FLAGS = frozenset({SHORT_TERM, CONDITIONAL, LONG_TERM})
BUY, SELL = 1, 2
TIF_DEFAULT, TIF_IOC, TIF_POST_ONLY, TIF_FOK = 0, 1, 2, 3
NO_CONDITION, STOP_LOSS, TAKE_PROFIT = 0, 1, 2

# https://docs.dydx.xyz/indexer-client/http: the resolutions of candles, with the engine's words for them.
RESOLUTIONS: Mapping[str, str] = MappingProxyType(
    {"1MIN": "1m", "5MINS": "5m", "15MINS": "15m", "30MINS": "30m", "1HOUR": "1h", "4HOURS": "4h", "1DAY": "1d"}
)
# The namespace of every name the indexer makes.
_NAMESPACE = UUID("0f9da948-a6fb-4c45-9edc-4685c3f3317d")


def ticker_of(coin: str) -> str:
    """Return the venue's name of a coin's perpetual."""
    return f"{coin}-USD"


def subaccount_id(address: str, number: int = SUBACCOUNT) -> str:
    """Return the indexer's name of a subaccount."""
    return str(uuid5(_NAMESPACE, f"{address}-{number}"))


def order_id(address: str, client_id: int, pair: int, flags: int) -> str:
    """Return the indexer's name of an order, which anybody can work out from its parts."""
    return str(uuid5(_NAMESPACE, f"{subaccount_id(address)}-{client_id}-{pair}-{flags}"))


def fill_id(trade: int, liquidity: str) -> str:
    """Return the indexer's name of one side of a trade."""
    return str(uuid5(_NAMESPACE, f"{trade}-{liquidity}"))


def trade_id(trade: int) -> str:
    """Return the name of a public trade: 24 hex digits."""
    return f"{trade:024x}"


def iso(time_ms: int) -> str:
    """Return a time as the venue writes it: UTC with milliseconds and a Z."""
    moment = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(number: Decimal) -> str:
    """Return a number as the venue writes it: no exponent, no zeros at the end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
