"""How narrow a market has become: the range of its last bars, in per cent, in true ranges, among its own past."""

from __future__ import annotations

import numpy as np
import talib

from apps.strategies.indicators.wilder import average_true_range_within
from apps.strategies.indicators.z_score import mean_and_deviation
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column


def range_percent(high: Column, low: Column, close: Column, length: int) -> Column:
    """Return (highest high - lowest low of the `length` bars that end with each) / close, in per cent; NaN before."""
    return 100 * (talib.MAX(high, timeperiod=length) - talib.MIN(low, timeperiod=length)) / close


def range_in_true_ranges(
    high: Column, low: Column, close: Column, length: int, atr_bars: int, window: int | None = None
) -> Column:
    """Return the same range in average true ranges (Wilder, `atr_bars`); NaN where nothing moves.

    The average is that over the newest `window` bars; None looks at all of them.
    """
    width = talib.MAX(high, timeperiod=length) - talib.MIN(low, timeperiod=length)
    average = average_true_range_within(high, low, close, atr_bars, window or max(len(close), atr_bars + 1))
    ratio: Column = np.divide(width, average, out=np.full(len(close), np.nan), where=average > 0)
    return ratio


def band_width_rank(close: Column, length: int, past: int) -> Column:
    """Return which per cent of the `past` Bollinger widths that end with each bar are narrower; NaN before.

    0 is the narrowest, 100 would be wider than all. Width is deviation / mean. Raises InvalidValue
    when `past` is below 2.
    """
    if past < 2:
        raise InvalidValue("past", past, "2 or more bars")
    mean, deviation = mean_and_deviation(close, length)
    width = deviation / mean
    narrower = np.zeros(len(close))
    for age in range(1, min(past, len(close))):
        narrower[age:] += width[:-age] < width[age:]
    ranks = 100 * (narrower / past)
    ranks[np.isnan(talib.SUM(width, timeperiod=past))] = np.nan
    return ranks
