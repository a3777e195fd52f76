"""A Bybit of its own for a contract test: served in a thread, with two funded accounts, and ccxt to speak to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.pro
import requests

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, venues_in_thread
from apps.exchanges.mock.venues import VENUES
from apps.exchanges.mock.wire.config import WireConfig
from moondev.domain.clock import Clock, LiveClock, milliseconds

VENUE = "bybit"
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MARKS = {"BTC": Decimal(50_000), "ETH": Decimal(3_000)}
SPECS = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
QUOTES = (("BTC", "49990", "50010", "5"), ("ETH", "2999", "3001", "50"))
DEPOSIT = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class Trader:
    """An account and its key."""

    address: str
    key: str
    secret: str


ALICE = Trader("alice", "alice-key", "alice-secret")
BOB = Trader("bob", "bob-key", "bob-secret")


@dataclass(frozen=True, slots=True)
class World:
    """The venue that is being served."""

    mock: ThreadedMock
    clock: Clock

    @property
    def rest_url(self) -> str:
        """Return the base URL of requests."""
        return f"{self.mock.url}/bybit"

    @property
    def websocket_url(self) -> str:
        """Return the base URL of sockets, up to the version."""
        return f"{self.mock.url}/bybit/v5".replace("http", "ws", 1)

    @property
    def exchange(self) -> Exchange:
        """Return the engine; to be touched through `call` alone."""
        return self.mock.server.wires[VENUE].exchange

    def admin(self, path: str, /, **body: object) -> Any:
        """Control the venue."""
        answer = requests.post(f"{self.mock.url}/admin/{path}", json={"venue": VENUE, **body}, timeout=5)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, kind: str, /, **body: object) -> None:
        """Let something go wrong."""
        self.admin("faults", kind=kind, **body)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        requests.delete(f"{self.mock.url}/admin/faults", json={"venue": VENUE}, timeout=5)

    def ccxt(self, trader: Trader | None = ALICE, **settings: object) -> Any:
        """Return the unmodified synchronous client of ccxt, as `trader`."""
        return self._in_time(ccxt.bybit(self._settings(trader, settings)))

    def ccxt_pro(self, trader: Trader | None = ALICE, **settings: object) -> Any:
        """Return the unmodified streaming client of ccxt, as `trader`."""
        return self._in_time(ccxt.pro.bybit(self._settings(trader, settings)))

    def _in_time(self, client: Any) -> Any:
        client.milliseconds = lambda: milliseconds(self.clock.now())
        return client

    def _settings(self, trader: Trader | None, more: Mapping[str, object]) -> dict[str, object]:
        rest, ws = self.rest_url, self.websocket_url
        public = {kind: f"{ws}/public/{kind}" for kind in ("spot", "linear", "inverse", "option")}
        private = {"spot": {"unified": f"{ws}/private"}, "contract": f"{ws}/private", "trade": f"{ws}/trade"}
        api: dict[str, object] = dict.fromkeys(("spot", "futures", "v2", "public", "private"), rest)
        api["ws"] = {"public": public, "private": private}
        settings: dict[str, object] = {
            "urls": {"api": api},
            "enableRateLimit": False,
            "options": {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
            "has": {"fetchCurrencies": False},
        }
        if trader is not None:
            settings |= {"apiKey": trader.key, "secret": trader.secret}
        return settings | dict(more)


@contextmanager
def bybit_world(clock: Clock | None = None, **options: Any) -> Iterator[World]:
    """Serve a Bybit with a quiet book while the block runs; `options` are those of WireConfig."""
    clock = clock or LiveClock()
    venue = VENUES[VENUE]
    specs = tuple(venue.spec(spec, MARKS[spec.coin]) for spec in SPECS)
    exchange = Exchange(specs, clock, MARKS, venue.engine())
    with venues_in_thread({VENUE: exchange}, clock, WireConfig(**{"book_interval_ms": 20, **options})) as mock:
        world = World(mock, clock)
        for trader in (ALICE, BOB):
            world.admin(
                "accounts", address=trader.address, deposit=str(DEPOSIT), api_key=trader.key, api_secret=trader.secret
            )
        for coin, bid, offer, size in QUOTES:
            for side, price in (("buy", bid), ("sell", offer)):
                world.admin("quote", coin=coin, side=side, price=price, size=size)
        yield world
