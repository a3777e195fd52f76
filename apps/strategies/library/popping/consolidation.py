"""Which bars are a consolidation, and the range in which it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.indicators.ranges import band_width_rank, range_in_true_ranges, range_percent
from apps.strategies.library.popping.parameters import PopParameters
from moondev.domain.market_data import BarSeries


@dataclass(frozen=True, slots=True)
class Range:
    """Highest high and lowest low of some bars, in quote currency."""

    high: float
    low: float

    @property
    def height(self) -> float:
        """Return high less low."""
        return self.high - self.low

    @property
    def middle(self) -> float:
        """Return the price half way up."""
        return self.low + self.height / 2

    def lower(self, fraction: float) -> float:
        """Return the top of the lowest `fraction` of the range."""
        return self.low + self.height * fraction

    def upper(self, fraction: float) -> float:
        """Return the bottom of the highest `fraction` of the range."""
        return self.high - self.height * fraction


def quiet(bars: BarSeries, params: PopParameters) -> NDArray[np.bool_]:
    """Return for each bar whether the market consolidates at its close; False where that cannot be told."""
    if params.quiet_by == "range_percent":
        measured, limit = range_percent(bars.high, bars.low, bars.close, params.range_bars), params.quiet_percent
    elif params.quiet_by == "true_ranges":
        measured = range_in_true_ranges(bars.high, bars.low, bars.close, params.range_bars, params.atr_bars)
        limit = params.quiet_true_ranges
    else:
        measured = band_width_rank(bars.close, params.band_bars, params.band_past_bars)
        limit = params.band_quantile_percent
    return measured <= limit


def range_of(bars: BarSeries, length: int, skipped: int = 0) -> Range:
    """Return the range of `length` bars, leaving out the newest `skipped`."""
    part = slice(len(bars) - skipped - length, len(bars) - skipped)
    return Range(float(bars.high[part].max()), float(bars.low[part].min()))
