"""True range and its Wilder average, the volatility that the Turtles called N."""

from __future__ import annotations

import numpy as np
import talib

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column


def true_range(high: Column, low: Column, close: Column) -> Column:
    """Return max(H - L, |H - C'|, |C' - L|), where C' is the close before; NaN in the first bar.

    In quote currency. The first bar has no close before it and therefore no true range.
    Source: J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978.
    """
    ranges = np.full(len(close), np.nan)
    before = close[:-1]
    ranges[1:] = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return ranges


def next_average(average: float, value: float, length: int) -> float:
    """Return one step of Wilder's average: ((length - 1) x average + value) / length."""
    return ((length - 1) * average + value) / length


def average_true_range(high: Column, low: Column, close: Column, length: int) -> Column:
    """Return Wilder's average of the true range, seeded with the mean of the first `length`.

    NaN up to index `length` - 1; the first value stands at index `length`, as the first bar has no
    true range. Raises InvalidValue when `length` is below 1.
    """
    if length < 1:
        raise InvalidValue("length", length, "1 or more bars")
    if len(close) <= length:
        return np.full(len(close), np.nan)
    return np.asarray(talib.ATR(high, low, close, timeperiod=length), dtype=np.float64)
