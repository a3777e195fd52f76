"""One market as a strategy of single trades sees it in one tick."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from moondev.domain.clock import milliseconds
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries, InstrumentView
from moondev.domain.portfolio import Holding

MS_IN_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Closed bars, the price now and the own holding in one market.

    `equity` is in the account's currency and `allocation` = equity x leverage, what a weight of 1 stands for.
    """

    instrument: Instrument
    bars: BarSeries
    price: float
    holding: Holding
    equity: float
    allocation: float
    now: datetime

    @property
    def last_ms(self) -> int:
        """Return the open time of the newest closed bar."""
        return int(self.bars.opened_ms[-1])

    @property
    def bar_ms(self) -> int:
        """Return the length of a bar in milliseconds."""
        return int(self.bars.interval.total_seconds()) * MS_IN_SECOND

    @property
    def quantity(self) -> float:
        """Return the signed holding in base units."""
        return float(self.holding.quantity)

    @property
    def settled(self) -> str:
        """Return a text that changes with every fill that costs a fee or realises anything."""
        return f"{self.holding.realised}|{self.holding.fees}"

    @property
    def held_weight(self) -> float:
        """Return the unsigned share of the allocation that the holding takes at this price."""
        return min(1.0, abs(self.quantity) * self.price / self.allocation)

    @property
    def leverage(self) -> float:
        """Return the notional that may be held per unit of equity."""
        return self.allocation / self.equity

    @property
    def fresh(self) -> bool:
        """Return whether at most one bar is missing: an old signal is not worth its price today."""
        return milliseconds(self.now) - (self.last_ms + self.bar_ms) < 2 * self.bar_ms


def too_small(scene: Scene, weight: float) -> str:
    """Return why `weight` of the allocation cannot be traded here; nothing when it can."""
    notional = weight * scene.allocation
    minimum, lot = scene.instrument.min_notional, scene.instrument.lot
    if notional < float(minimum.value):
        return f"a trade of {notional:g} is below the minimum of {minimum}"
    if notional / scene.price < float(lot.value):
        return f"a trade of {notional / scene.price:g} is below one lot of {lot}"
    return ""


def usable_bars(view: InstrumentView, interval: timedelta, fewest: int, most: int) -> tuple[BarSeries | None, str]:
    """Return the newest `most` bars, or None and a note when there are under `fewest` or one is no number."""
    bars = view.bars.get(interval)
    if bars is None or len(bars) < fewest:
        have = 0 if bars is None else len(bars)
        return None, f"{have} closed bars of {interval}, {fewest} needed"
    prices = np.stack((bars.open, bars.high, bars.low, bars.close))
    if not bool(np.isfinite(prices[:, -most:]).all()):
        return None, f"a bar of {interval} holds a price that is not a finite number"
    return bars.tail(most), ""


def price_now(view: InstrumentView, bars: BarSeries) -> float:
    """Return the middle of the book, else the venue's mark, else the last close.

    In this order because weights become quantities at the middle of the book.
    """
    if view.book is not None and view.book.bids and view.book.asks:
        return view.book.mid
    if view.mark_price is not None and np.isfinite(view.mark_price) and view.mark_price > 0:
        return view.mark_price
    return float(bars.close[-1])
