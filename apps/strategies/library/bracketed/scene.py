"""One market as a strategy of bracketed trades sees it in one tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from moondev.domain.clock import milliseconds
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries, InstrumentView
from moondev.domain.portfolio import Holding

MS_IN_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Closed bars, the bars of other lengths, the own holding and what may be used.

    `allocation` is equity x leverage in the account's currency.
    """

    instrument: Instrument
    bars: BarSeries
    others: Mapping[timedelta, BarSeries]
    holding: Holding
    allocation: float
    now: datetime

    @property
    def last_ms(self) -> int:
        """Return the open time of the newest closed bar."""
        return int(self.bars.opened_ms[-1])

    @property
    def bar_ms(self) -> int:
        """Return the length of a bar in milliseconds."""
        return in_ms(self.bars.interval)

    @property
    def close(self) -> float:
        """Return the newest close."""
        return float(self.bars.close[-1])

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
        """Return the unsigned share of the allocation that the holding takes at the newest close."""
        return min(1.0, abs(self.quantity) * self.close / self.allocation)

    @property
    def may_open(self) -> bool:
        """Return whether the newest bar is the newest there can be: an old signal is not worth its price today."""
        return self.bars_since(self.last_ms) < 1

    def bars_since(self, stamp_ms: int) -> float:
        """Return how many bars ago, by the clock, the bar that opened at `stamp_ms` closed."""
        return (milliseconds(self.now) - stamp_ms - self.bar_ms) / self.bar_ms

    def since(self, stamp_ms: int) -> NDArray[np.bool_]:
        """Return a mask of the bars that opened after `stamp_ms`."""
        return self.bars.opened_ms > stamp_ms

    def closed_by_now(self, interval: timedelta) -> BarSeries | None:
        """Return the bars of `interval` that had closed when the newest bar did; None when the last of them is missing.

        A longer bar that closed later would tell of the future; one that is late, of the past.
        """
        bars, length = self.others.get(interval), in_ms(interval)
        if bars is None or not len(bars):
            return None
        moment = self.last_ms + self.bar_ms
        known = int(np.searchsorted(bars.opened_ms, moment - length, side="right"))
        if not known or moment - int(bars.opened_ms[known - 1]) - length >= length:
            return None
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        return BarSeries(interval, bars.opened_ms[:known], *(column[:known] for column in columns))


def in_ms(length: timedelta) -> int:
    """Return `length` in milliseconds."""
    return int(length.total_seconds()) * MS_IN_SECOND


def usable_bars(view: InstrumentView, interval: timedelta, fewest: int, most: int) -> tuple[BarSeries | None, str]:
    """Return the newest `most` bars, or None and a note why nothing can be decided on them."""
    bars = view.bars.get(interval)
    if bars is None or len(bars) < fewest:
        return None, f"{0 if bars is None else len(bars)} closed bars of {interval}, {fewest} needed"
    columns = np.stack((bars.open, bars.high, bars.low, bars.close, bars.volume))
    if not bool(np.isfinite(columns[:, -most:]).all()):
        return None, f"a bar of {interval} holds a price or volume that is not a finite number"
    return bars.tail(most), ""
