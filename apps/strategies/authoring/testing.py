"""What a strategy's own test needs: bars made of closes, a walk over them, and the proof that it does not see ahead."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from apps.strategies.backtest.history import History
from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from apps.strategies.orchestrator.answers import checked
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Legs, Target
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Book, BookLevel, InstrumentView, MarketView, Needs
from moondev.domain.portfolio import Holding
from moondev.domain.values import Money, Quantity

START = datetime(2026, 1, 1, tzinfo=UTC)
EQUITY = 10_000.0
HALF_SPREAD = 0.0001


def instrument(symbol: str = "BTC") -> Instrument:
    """Return something to trade, with fine grids: nothing of a test should hang on rounding."""
    grid = PriceGrid(Decimal("0.000001"))
    return Instrument("test", symbol, symbol, "USDC", grid, Quantity(Decimal("0.000001")), Money(Decimal(1), "USDC"))


def bars_of(closes: Sequence[float], interval: timedelta = timedelta(minutes=5)) -> BarSeries:
    """Return bars that close at `closes`: each opens where the one before closed, and goes no further than it must."""
    close = np.asarray(closes, dtype=np.float64)
    opened = np.concatenate((close[:1], close[:-1]))
    step = round(interval.total_seconds() * 1000)
    stamps = round(START.timestamp() * 1000) + step * np.arange(len(close), dtype=np.int64)
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return BarSeries(interval, stamps, opened, high, low, close, np.full(len(close), 10.0))


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of a walk: at the close of which bar, what was decided, what it took in milliseconds of CPU."""

    row: int
    at: datetime
    decision: Decision
    took_ms: float

    def weight(self, key: str = "test:BTC") -> float | None:
        """Return the weight wanted of an instrument; None when nothing was said of it."""
        return next((target.weight for target in _targets(self.decision) if target.instrument == key), None)

    def target(self, key: str = "test:BTC") -> Target:
        """Return the target of an instrument. Raises StopIteration when nothing was said of it."""
        return next(target for target in _targets(self.decision) if target.instrument == key)


def walk(
    idea: type[Strategy[Any]], parameters: Parameters, bars: BarSeries | Mapping[str, BarSeries], *, first: int = 0
) -> list[Step]:
    """Return what a strategy decides at the close of every bar from row `first` on.

    It remembers from bar to bar what it would remember live, and holds at once, at the close and without costs, what
    it asked for: enough to see what it decides, not what it earns. `bars` are of one market, or by symbol. Raises
    InvalidValue for an answer that the platform would not take.
    """
    markets = {"BTC": bars} if isinstance(bars, BarSeries) else dict(bars)
    return list(_steps(idea(), parameters, {instrument(symbol): one for symbol, one in markets.items()}, first))


def assert_no_look_ahead(
    idea: type[Strategy[Any]], parameters: Parameters, bars: BarSeries | Mapping[str, BarSeries], *, first: int = 0
) -> None:
    """Walk again over a past whose future is another. Raises AssertionError where that changed what was decided."""
    markets = {"BTC": bars} if isinstance(bars, BarSeries) else dict(bars)
    whole = walk(idea, parameters, markets, first=first)
    rows = min(map(len, markets.values()))
    for cut in sorted({first + (rows - first) // 3, first + 2 * (rows - first) // 3}):
        other = {symbol: _another_future(one, cut) for symbol, one in markets.items()}
        for step, again in zip(whole, walk(idea, parameters, other, first=first), strict=True):
            if step.row >= cut:
                break
            assert step.decision == again.decision, (  # noqa: S101  it is for tests
                f"what was decided at the close of bar {step.row} ({step.at:%F %H:%M}) changed when the bars from"
                f" {cut} on did: {step.decision} became {again.decision}. It looks ahead, or is not the same twice."
            )


def _steps(
    strategy: Strategy[Any], parameters: Parameters, markets: Mapping[Instrument, BarSeries], first: int
) -> Iterator[Step]:
    instruments = {one.key: one for one in markets}
    needs = strategy.needs(parameters, tuple(markets))
    histories = {one.key: History(bars, needs.bars) for one, bars in markets.items()}
    state: State = {}
    held: dict[str, Holding] = {}
    for row in range(first, min(len(bars) for bars in markets.values())):
        views = {key: _view(history, needs, row) for key, history in histories.items()}
        now = _closed_at(next(iter(histories.values())).base, row)
        own = OwnPosition(dict(held), EQUITY, 1.0)
        began = time.thread_time()
        answer = strategy.decide(MarketView(now, views), own, parameters, state, instruments)
        took_ms = (time.thread_time() - began) * 1000
        decision = checked(answer, instruments)
        yield Step(row, now, decision, took_ms)
        state = decision.state
        for target in _targets(decision):
            held[target.instrument] = _holding(target, histories[target.instrument].base, row)


def _view(history: History, needs: Needs, row: int) -> InstrumentView:
    seen = {interval: history.window(interval, row + 1, count) for interval, count in needs.bars.items()}
    close, now = float(history.base.close[row]), _closed_at(history.base, row)
    bid, ask = (BookLevel(close * (1 + side * HALF_SPREAD), 10.0) for side in (-1, 1))
    book = Book((bid,), (ask,), now, now) if needs.book else None
    return InstrumentView(seen, book, close, timedelta(0), 0.0)


def _closed_at(bars: BarSeries, row: int) -> datetime:
    return from_milliseconds(float(bars.opened_ms[row])) + bars.interval


def _targets(decision: Decision) -> list[Target]:
    found: list[Target] = []
    for wish in decision.desired:
        found += list(wish.targets) if isinstance(wish, Legs) else [wish] if isinstance(wish, Target) else []
    return found


def _holding(target: Target, bars: BarSeries, row: int) -> Holding:
    price = Decimal(repr(float(bars.close[row])))
    quantity = Decimal(repr(target.weight * EQUITY)) / price
    return Holding(quantity, quantity * price)


def _another_future(bars: BarSeries, cut: int) -> BarSeries:
    """Return the same bars up to `cut`, and from there on a market that goes the other way."""
    factor = np.ones(len(bars))
    factor[cut:] = np.linspace(1.02, 1.6, max(len(bars) - cut, 0)) * (bars.close[cut - 1] / bars.close[cut:]) ** 2
    columns = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
    return replace(bars, **columns)
