"""Bars, instruments, views and a venue that fills at once: what the strategy tests stand on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import numpy as np

from apps.strategies.base import Decision, OwnPosition, Parameters, State, Strategy
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Book, BookLevel, InstrumentView, MarketView
from moondev.domain.portfolio import Holding
from moondev.domain.values import Money, Price, Quantity, Side

START_MS = 1_750_000_000_000 - 1_750_000_000_000 % 86_400_000
BTC = Instrument(
    venue="hyperliquid",
    symbol="BTC",
    asset="BTC",
    quote="USDC",
    price_grid=PriceGrid(Decimal("0.1"), 5),
    lot=Quantity(Decimal("0.00001")),
    min_notional=Money(Decimal(10), "USDC"),
    max_leverage=40,
)
KEY = BTC.key


def bars_of(
    rows: Sequence[Sequence[float]], interval: timedelta = timedelta(days=1), start_ms: int = START_MS
) -> BarSeries:
    """Return bars from rows of open, high, low, close."""
    table = np.array(rows, dtype=np.float64)
    step = int(interval.total_seconds() * 1000)
    stamps = start_ms + step * np.arange(len(table), dtype=np.int64)
    return BarSeries(interval, stamps, *(table[:, i].copy() for i in range(4)), np.ones(len(table)))


def random_bars(
    seed: int, count: int, interval: timedelta = timedelta(days=1), scale: float = 100.0, sigma: float = 0.02
) -> BarSeries:
    """Return a seeded random walk with trends in it."""
    rng = np.random.default_rng(seed)
    drift = np.repeat(rng.normal(0, sigma / 2, count // 25 + 1), 25)[:count]
    close = scale * np.exp(np.cumsum(drift + rng.normal(0, sigma, count)))
    opened = np.concatenate(([scale], close[:-1]))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, sigma / 2, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, sigma / 2, count)))
    return bars_of(np.column_stack((opened, high, low, close)).tolist(), interval)


def cut(bars: BarSeries, stop: int, start: int = 0) -> BarSeries:
    """Return bars `start` to `stop` (excluded)."""
    part = slice(start, stop)
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return BarSeries(bars.interval, bars.opened_ms[part], *(c[part] for c in columns))


def scaled(bars: BarSeries, factor: float) -> BarSeries:
    """Return the same bars in another unit of price."""
    prices = (c * factor for c in (bars.open, bars.high, bars.low, bars.close))
    return BarSeries(bars.interval, bars.opened_ms, *prices, bars.volume / factor)


def book_at(bid: float, ask: float, now_ms: int, size: float = 1.0) -> Book:
    """Return a book of one level a side."""
    now = from_milliseconds(now_ms)
    return Book((BookLevel(bid, size),), (BookLevel(ask, size),), now, now)


def view_of(
    bars: BarSeries | None,
    *,
    book: Book | None = None,
    mark: float | None = None,
    late_ms: int = 1_000,
    key: str = KEY,
    age_ms: int = 100,
    extra: Sequence[BarSeries] = (),
) -> MarketView:
    """Return the view `late_ms` after the newest bar closed."""
    series = [s for s in (bars, *extra) if s is not None]
    now_ms = START_MS
    if bars is not None and len(bars):
        now_ms = int(bars.opened_ms[-1]) + int(bars.interval.total_seconds() * 1000) + late_ms
    seen = InstrumentView({s.interval: s for s in series}, book, mark, timedelta(milliseconds=age_ms))
    return MarketView(from_milliseconds(now_ms), {key: seen})


def own(holding: Holding | None = None, equity: float = 100_000.0, leverage: float = 2.0) -> OwnPosition:
    """Return what the strategy holds in BTC."""
    return OwnPosition({KEY: holding} if holding else {}, equity, leverage)


def bought(quantity: float, price: float, fee: float = 0.0) -> Holding:
    """Return a holding after one fill; negative quantities are sold."""
    side = Side.BUY if quantity > 0 else Side.SELL
    return Holding().filled(
        side, Quantity(Decimal(repr(abs(quantity)))), Price(Decimal(repr(price))), Decimal(repr(fee))
    )


@dataclass
class Trip:
    """One fill of the simulated venue."""

    index: int
    quantity: float
    price: float
    reason: str


@dataclass
class FillingVenue:
    """Fills targets at the close of the signal bar, then stops and take-profits inside the next ones.

    The stop comes before the take-profit; after a gap it fills at the open. Size is fixed when a
    signal id first appears, as the platform's planner has it.
    """

    strategy: Strategy[Parameters]
    params: Parameters
    equity: float = 100_000.0
    leverage: float = 2.0
    fills_orders: Callable[[int], bool] = lambda _: True
    holding: Holding = field(default_factory=Holding)
    state: State = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    trips: list[Trip] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    target: Target | None = None

    def run(self, bars: BarSeries, first: int, window: int, instruments: Mapping[str, Instrument]) -> None:
        """Walk over `bars` from index `first`, showing `window` bars at each close."""
        for index in range(first, len(bars)):
            self._protect(index, bars)
            close = float(bars.close[index])
            view = view_of(cut(bars, index + 1, max(0, index + 1 - window)), mark=close)
            decision = self.strategy.decide(
                view, own(self.holding, self.equity, self.leverage), self.params, self.state, instruments
            )
            self.state = decision.state
            self.decisions.append(decision)
            for target in decision.desired:
                assert isinstance(target, Target)
                self.target = target
                if self.fills_orders(index):
                    self._follow(target, index, close)

    def _follow(self, target: Target, index: int, close: float) -> None:
        wanted = self.sizes.setdefault(target.signal_id, target.weight * self.equity * self.leverage / close)
        if target.weight == 0:
            wanted = 0.0
        change = wanted - float(self.holding.quantity)
        if abs(change) > 0.1 * max(abs(wanted), 1e-12) or (wanted == 0 and change):
            self._fill(index, change, close, target.signal_id)

    def _protect(self, index: int, bars: BarSeries) -> None:
        quantity = float(self.holding.quantity)
        if not quantity or self.target is None:
            return
        opened, high, low = float(bars.open[index]), float(bars.high[index]), float(bars.low[index])
        stop = float(self.target.stop.value) if self.target.stop else None
        goal = float(self.target.take_profit.value) if self.target.take_profit else None
        if stop is not None and (low <= stop if quantity > 0 else high >= stop):
            at = min(stop, opened) if quantity > 0 else max(stop, opened)
            self._fill(index, -quantity, at, "stop")
        elif goal is not None and (high >= goal if quantity > 0 else low <= goal):
            self._fill(index, -quantity, goal, "take-profit")

    def _fill(self, index: int, change: float, price: float, reason: str) -> None:
        side = Side.BUY if change > 0 else Side.SELL
        size = Decimal(repr(abs(change)))
        if reason in {"stop", "take-profit"} or abs(change) == abs(float(self.holding.quantity)):
            size = abs(self.holding.quantity)
        self.holding = self.holding.filled(side, Quantity(size), Price(Decimal(repr(price))), Decimal(0))
        self.trips.append(Trip(index, change, price, reason))
