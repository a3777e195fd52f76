"""A small trading world on real servers: one paper account, fresh market data, strategies that do as told."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
import redis

from apps.exchanges.market_data.cache import MarketCache, MarketWriter
from apps.exchanges.models import (
    Account,
    EquityMark,
    InstrumentRow,
    Portfolio,
    ScopeKind,
    TradingMode,
    TradingState,
    Venue,
)
from apps.exchanges.ports import BookUpdate
from apps.risk.services import seed_limits
from apps.strategies.base import Decision, Parameters, Strategy
from apps.strategies.models import StrategyRow, Trigger
from apps.strategies.services import strategy_create, strategy_enable
from moondev.domain.clock import FixedClock
from moondev.domain.desired import Legs, Quote, Quotes, Target
from moondev.domain.market_data import Book, BookLevel, Needs
from moondev.domain.values import Price, Quantity

D = Decimal
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
# A database of Redis that no running platform uses.
REDIS_DATABASE = 11


class Script(Parameters):
    """What a scripted strategy does."""

    behaviour: str = "target"
    weight: float = 0.1
    signal_id: str = "s1"
    stop: float | None = None
    tag: int = 0


class Scripted(Strategy[Script]):
    """Does what its parameters say, wrong things included."""

    name: ClassVar[str] = "scripted"
    parameters: ClassVar[type[Parameters]] = Script
    presets: ClassVar = MappingProxyType({"plain": Script()})

    def needs(self, params, instruments):
        if params.behaviour == "needs_raises":
            raise RuntimeError("cannot say what it needs")
        return Needs(tuple(i.key for i in instruments), {timedelta(minutes=1): 5}, book=True)

    def decide(self, view, own, params, state, instruments):
        return getattr(self, "_" + params.behaviour)(view, own, params, state, list(instruments))

    def _target(self, view, own, params, state, keys):
        stop = None if params.stop is None else Price(D(str(params.stop)))
        targets = tuple(Target(key, params.weight, params.signal_id, "told so", stop=stop) for key in keys)
        return Decision(targets, {"ticks": state.get("ticks", 0) + 1}, ("scripted",))

    def _quotes(self, view, own, params, state, keys):
        mid = view.instruments[keys[0]].book.mid
        bids, asks = ((Quote(Price(D(str(round(mid + step)))), Quantity(D("0.01"))),) for step in (-10, 10))
        return Decision((Quotes(keys[0], bids, asks),))

    def _idle(self, view, own, params, state, keys):
        return Decision(())

    def _raises(self, view, own, params, state, keys):
        raise ZeroDivisionError("nothing to divide by")

    def _hangs(self, view, own, params, state, keys):
        while True:
            try:  # noqa: SIM105  exactly what such a strategy writes
                time.sleep(0.01)
            except Exception:  # noqa: BLE001  the point is that it swallows everything
                pass

    def _exits(self, view, own, params, state, keys):
        raise SystemExit(1)

    def _slow(self, view, own, params, state, keys):
        until = time.thread_time() + 0.08
        while time.thread_time() < until:
            pass
        return self._target(view, own, params, state, keys)

    def _nonsense(self, view, own, params, state, keys):
        return {"buy": "all"}

    def _nan(self, view, own, params, state, keys):
        return Decision((Target(keys[0], float("nan"), "s", "nan"),))

    def _foreign(self, view, own, params, state, keys):
        return Decision((Target("hyperliquid:DOGE", 0.1, "s", "not mine"),))

    def _twice(self, view, own, params, state, keys):
        return Decision((Target(keys[0], 0.1, "s", "a"), Target(keys[0], -0.1, "s", "b")))

    def _bad_state(self, view, own, params, state, keys):
        return Decision((), {"when": view.now})

    def _legs(self, view, own, params, state, keys):
        targets = tuple(Target(key, params.weight, params.signal_id, "leg") for key in keys)
        return Decision((Legs(targets, 500),))


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the scripted strategy into the library for one test."""
    from apps.strategies import registry

    monkeypatch.setattr(registry, "_BY_NAME", {**registry._BY_NAME, Scripted.name: Scripted})


def own_redis() -> redis.Redis:
    """Return a client of an empty Redis database of our own; skips where there is no Redis."""
    url = os.environ.get("REDIS_URL", "")
    if not url:
        pytest.skip("REDIS_URL names no Redis server")
    own = urlsplit(url)._replace(path=f"/{REDIS_DATABASE}").geturl()
    client = redis.Redis.from_url(own, socket_timeout=5, protocol=2)
    client.flushdb()
    return client


class World:
    """One account, its instruments, and the market as the stream process would have written it."""

    def __init__(self, client: redis.Redis, symbols: tuple[str, ...] = ("BTC", "ETH")) -> None:
        self.clock = FixedClock(NOW)
        self.redis = client
        self.cache = MarketCache(client)
        self.writer = MarketWriter(client)
        self.account = self._account("paper-1")
        self.instruments = {symbol: self._instrument(symbol) for symbol in symbols}
        seed_limits("paper", actor="test", now=NOW)
        self.mark_equity()
        for symbol in symbols:
            self.book(symbol, 50_000.0)

    def _account(self, code: str) -> Account:
        venue = Venue.objects.create(
            code="hyperliquid",
            protocol="hyperliquid",
            environment="paper",
            rest_url="http://localhost:8001/hl",
            websocket_url="ws://localhost:8001/hl/ws",
        )
        portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
        for kind, key in ((ScopeKind.PORTFOLIO, "paper"), (ScopeKind.ACCOUNT, code)):
            TradingState.objects.create(scope_kind=kind, scope_key=key, mode=TradingMode.ACTIVE, changed_at=NOW)
        return Account.objects.create(code=code, venue=venue, portfolio=portfolio, address="0x1", currency="USDC")

    def _instrument(self, symbol: str) -> InstrumentRow:
        return InstrumentRow.objects.create(
            venue=self.account.venue,
            symbol=symbol,
            asset=symbol,
            quote="USDC",
            tick=D("0.1"),
            significant_figures=5,
            lot=D("0.001"),
            min_notional=D(10),
            max_leverage=40,
        )

    def mark_equity(self, equity: int = 100_000) -> None:
        EquityMark.objects.create(
            account=self.account, taken_at=self.clock.now(), venue_equity=equity, unrealised=0, margin_used=0
        )

    def book(self, symbol: str, mid: float) -> None:
        now = self.clock.now()
        book = Book((BookLevel(mid - 1, 5.0),), (BookLevel(mid + 1, 5.0),), now, now)
        self.writer.state(f"hyperliquid:{symbol}").take_book(BookUpdate(symbol, book))
        self.writer.flush()

    def strategy(self, slug: str, *symbols: str, enable: bool = True, **more) -> StrategyRow:
        parameters = {k: more.pop(k) for k in list(more) if k in Script.model_fields}
        more = {"capital": D(10_000), "trigger": Trigger.INTERVAL, "cadence_seconds": 60} | more
        row = strategy_create(
            slug=slug,
            kind="scripted",
            parameters=parameters,
            account=self.account,
            instruments=[self.instruments[symbol] for symbol in symbols or ("BTC",)],
            actor="test",
            now=NOW,
            **more,
        )
        return strategy_enable(row.pk, actor="test", now=NOW) if enable else row
