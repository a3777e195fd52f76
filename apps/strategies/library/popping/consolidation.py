"""Which bars are a consolidation, and the range in which it lies: for one bar or for whole columns alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import talib
from numpy.typing import NDArray

from apps.strategies.indicators.ranges import band_width_rank, range_in_true_ranges, range_percent
from apps.strategies.library.popping.parameters import PopParameters
from moondev.domain.market_data import BarSeries, Column

Number = float | Column


@dataclass(frozen=True, slots=True)
class Range:
    """Highest high and lowest low of some bars, in quote currency."""

    high: Number
    low: Number

    @property
    def height(self) -> Number:
        """Return high less low."""
        return self.high - self.low

    @property
    def middle(self) -> Number:
        """Return the price half way up."""
        return self.low + self.height / 2

    def lower(self, fraction: float) -> Number:
        """Return the top of the lowest `fraction` of the range."""
        return self.low + self.height * fraction

    def upper(self, fraction: float) -> Number:
        """Return the bottom of the highest `fraction` of the range."""
        return self.high - self.height * fraction


def quiet(bars: BarSeries, params: PopParameters, window: int | None = None) -> NDArray[np.bool_]:
    """Return for each bar whether the market consolidates at its close; False where that cannot be told.

    `window` is how many bars up to each are looked at, None for all of them.
    """
    if params.quiet_by == "range_percent":
        measured, limit = range_percent(bars.high, bars.low, bars.close, params.range_bars), params.quiet_percent
    elif params.quiet_by == "true_ranges":
        measured = range_in_true_ranges(bars.high, bars.low, bars.close, params.range_bars, params.atr_bars, window)
        limit = params.quiet_true_ranges
    else:
        measured = band_width_rank(bars.close, params.band_bars, params.band_past_bars)
        limit = params.band_quantile_percent
    return measured <= limit


def range_of(bars: BarSeries, length: int, skipped: int = 0) -> Range:
    """Return the range of `length` bars, leaving out the newest `skipped`."""
    part = slice(len(bars) - skipped - length, len(bars) - skipped)
    return Range(float(bars.high[part].max()), float(bars.low[part].min()))


def ranges(bars: BarSeries, length: int) -> Range:
    """Return the range of the `length` bars that end with each; NaN where there are fewer."""
    return Range(talib.MAX(bars.high, timeperiod=length), talib.MIN(bars.low, timeperiod=length))


def zones(price: Number, box: Range, fraction: float) -> Column:
    """Return 1 in the lowest `fraction` of the range, -1 in the highest, 0 between or in no range at all."""
    low, high = np.less_equal(price, box.lower(fraction)), np.greater_equal(price, box.upper(fraction))
    return np.where(np.greater(box.height, 0), np.where(low, 1.0, np.where(high, -1.0, 0.0)), 0.0)


def breaks(price: Number, box: Range, margin: Number) -> Column:
    """Return 1 for a price more than `margin` above the range, -1 for one as far below, else 0."""
    above, below = np.greater(price, box.high + margin), np.less(price, box.low - margin)
    return np.where(above, 1.0, np.where(below, -1.0, 0.0))
