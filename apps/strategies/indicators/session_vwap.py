"""The volume-weighted average price of the day, and how widely the day traded around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moondev.domain.market_data import BarSeries, Column

MS_IN_DAY = 86_400_000


def session_vwap(bars: BarSeries, fewest: int) -> tuple[Column, Column]:
    """Return VWAP and volume-weighted standard deviation since 00:00 UTC, at the close of each bar.

    A bar's price is its typical price (H + L + C) / 3. NaN until `fewest` bars of the day have
    closed, while nothing has traded, and in a first day that the bars do not show from its start.
    """
    day = bars.opened_ms // MS_IN_DAY
    first = np.searchsorted(day, day, side="left")
    price = (bars.high + bars.low + bars.close) / 3
    # Distances from the day's first price: squares of whole prices would drown the deviation in rounding.
    away = price - price[first]
    volume = _since(first, bars.volume)
    known = (np.arange(len(bars)) - first + 1 >= fewest) & (volume > 0) & _whole(bars, first)
    mean = _ratio(_since(first, bars.volume * away), volume, known)
    variance = _ratio(_since(first, bars.volume * away**2), volume, known) - mean**2
    return price[first] + mean, np.sqrt(np.maximum(variance, 0.0))


def _since(first: NDArray[np.intp], values: Column) -> Column:
    """Return the sum of `values` from the first bar of each bar's day up to it."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    return total[1:] - total[first]


def _whole(bars: BarSeries, first: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return whether each bar's day is shown from its start; all days but the window's first are."""
    whole: NDArray[np.bool_] = (first > 0) | (bars.opened_ms[first] % MS_IN_DAY == 0)
    return whole


def _ratio(above: Column, below: Column, known: NDArray[np.bool_]) -> Column:
    ratio: Column = np.divide(above, below, out=np.full(len(above), np.nan), where=known)
    return ratio
