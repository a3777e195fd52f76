"""dYdX at the mock exchange for contract tests: two funded accounts, a quiet book, and clients pointed at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import ccxt
import requests

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, venues_in_thread
from apps.exchanges.mock.venues import VENUES
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.venues.dydx.keys import address_of, public_key_of
from moondev.domain.clock import Clock, LiveClock

KEY, OTHER_KEY, STRANGER_KEY = "11" * 32, "22" * 32, "33" * 32
ADDRESS, OTHER, STRANGER = map(address_of, (KEY, OTHER_KEY, STRANGER_KEY))
DEPOSIT = Decimal(100_000)
SYMBOL, TICKER = "BTC/USDC:USDC", "BTC-USD"
MARKS = {"BTC": Decimal(50_000), "ETH": Decimal(3_000)}
QUOTES = (("BTC", "49990", "50010", "5"), ("ETH", "2999", "3001", "50"))
PATIENCE_SECONDS = 15.0
T = TypeVar("T")


def ask(url: str, body: object) -> Any:
    answer = requests.post(url, json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


@contextmanager
def dydx_mock(clock: Clock | None = None, **options: Any) -> Iterator[ThreadedMock]:
    """Serve dYdX while the block runs, with the options of WireConfig; its blocks come four times as fast."""
    clock = clock or LiveClock()
    venue = VENUES["dydx"]
    generic = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
    specs = [venue.spec(spec, MARKS[spec.coin]) for spec in generic]
    engine = Exchange(specs, clock, MARKS, venue.engine())
    config = WireConfig(**{"book_interval_ms": 20, "block_ms": 250, **options})
    with venues_in_thread({"dydx": engine}, clock, config) as mock:
        for key in (KEY, OTHER_KEY):
            fund(mock, key, str(DEPOSIT))
        for coin, bid, offer, size in QUOTES:
            quote(mock, coin, "buy", bid, size)
            quote(mock, coin, "sell", offer, size)
        yield mock


def fund(mock: ThreadedMock, key: str, deposit: str) -> None:
    account = {"venue": "dydx", "address": address_of(key), "deposit": deposit, "public_key": public_key_of(key)}
    ask(f"{mock.url}/admin/accounts", account)


def quote(mock: ThreadedMock, coin: str, side: str, price: str, size: str) -> None:
    ask(f"{mock.url}/admin/quote", {"venue": "dydx", "coin": coin, "side": side, "price": price, "size": size})


def fault(mock: ThreadedMock, kind: str, **more: object) -> None:
    ask(f"{mock.url}/admin/faults", {"venue": "dydx", "kind": kind, **more})


def indexer(mock: ThreadedMock, path: str, **asked: object) -> Any:
    answer = requests.get(f"{mock.url}/dydx/v4{path}", params={k: str(v) for k, v in asked.items()}, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def settings(mock: ThreadedMock, key: str = KEY) -> dict[str, Any]:
    base = mock.url
    return {
        "walletAddress": address_of(key),
        "options": {"privateKey": key},
        "enableRateLimit": False,
        "urls": {
            "api": {
                "indexer": f"{base}/dydx/v4",
                "nodeRpc": f"{base}/dydx/rpc",
                "nodeRest": f"{base}/dydx/rest",
                "ws": f"{base.replace('http', 'ws')}/dydx/v4/ws",
            }
        },
    }


def ready(exchange: Any) -> Any:
    """Make ccxt's createOrder work: wire.md 0.4, it cannot negate the integers that the indexer sends."""
    for market in exchange.markets.values():
        for name in ("atomicResolution", "quantumConversionExponent"):
            market["info"][name] = str(market["info"][name])
    return exchange


def client(mock: ThreadedMock, key: str = KEY) -> Any:
    exchange = ccxt.dydx(settings(mock, key))
    exchange.load_markets()
    return ready(exchange)


def wait_for(question: Callable[[], T | None], what: str) -> T:
    """Ask until there is an answer that is not empty."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        answer = question()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE_SECONDS:g} s")
