"""How much a market moves: realised volatility and the average true range, off closed bars.

Realised volatility is the root of the mean square of log returns (the mean return of short bars is noise, and taken as
zero, as in J.P. Morgan/Reuters, RiskMetrics Technical Document, 1996), scaled to a year of 365 days: crypto never
closes. The average true range is Wilder's (New Concepts in Technical Trading Systems, 1978).
"""

from __future__ import annotations

import math

import numpy as np

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Column

SECONDS_IN_A_YEAR = 365 * 86_400


def realised_volatility(closes: Column, bar_seconds: float) -> float:
    """Return the volatility of a year (0.5 is 50 %). Raises InvalidValue for fewer than two closes above zero."""
    if len(closes) < 2:
        raise InvalidValue("closes", len(closes), "two or more")
    if not bool(np.all(closes > 0)):
        raise InvalidValue("closes", float(np.min(closes)), "prices above 0")
    returns = np.diff(np.log(closes))
    return math.sqrt(float(np.mean(returns * returns)) * SECONDS_IN_A_YEAR / bar_seconds)


def true_ranges(high: Column, low: Column, close: Column) -> Column:
    """Return max(high, close before) - min(low, close before) of every bar but the first."""
    before = close[:-1]
    ranges: Column = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return ranges


def wilder_average(values: Column, length: int, seed: float | None = None) -> float:
    """Return Wilder's average: A = ((length - 1) x A + value) / length.

    It begins with `seed`, or else with the plain mean of the first `length` values. Raises InvalidValue for fewer.
    """
    rest = values
    if seed is None:
        if len(values) < length:
            raise InvalidValue("values", len(values), f"{length} or more")
        seed, rest = float(np.mean(values[:length])), values[length:]
    average = seed
    for value in rest.tolist():
        average += (value - average) / length
    return average


def average_true_range(bars: BarSeries, length: int) -> float:
    """Return the average true range of `bars` as a share of the last close. Raises InvalidValue for too few bars."""
    return wilder_average(true_ranges(bars.high, bars.low, bars.close), length) / float(bars.close[-1])
