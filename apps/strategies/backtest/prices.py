"""The price beside a run, thinned to what a chart can show: every high and low is kept, few of the bars are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Column

# A screen has so many pixels across; twice as many candles leave something to zoom into.
MOST_CANDLES = 4_000


@dataclass(frozen=True, slots=True)
class PricePath:
    """Candles of one instrument, oldest first, each of `step_ms`; `opened_ms` in milliseconds UTC."""

    step_ms: int
    opened_ms: NDArray[np.int64]
    open: Column
    high: Column
    low: Column
    close: Column

    def __len__(self) -> int:
        """Return the number of candles."""
        return len(self.opened_ms)

    @property
    def held(self) -> float:
        """Return what buying at the first open and holding to the last close would have made, before costs."""
        return float(self.close[-1] / self.open[0] - 1)


def path_of(bars: BarSeries, most: int = MOST_CANDLES) -> PricePath:
    """Return the bars as at most `most` candles of a whole number of bars each. Raises InvalidValue without bars."""
    if not len(bars):
        raise InvalidValue("bars", 0, "at least one bar")
    step = round(bars.interval.total_seconds() * 1000)
    span = int(bars.opened_ms[-1] - bars.opened_ms[0]) // step + 1
    wide = step * -(-span // most)
    candle = bars.opened_ms // wide
    starts = np.flatnonzero(np.diff(candle, prepend=candle[0] - 1))
    ends = np.append(starts[1:], len(bars)) - 1
    return PricePath(
        wide,
        candle[starts] * wide,
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[ends],
    )
