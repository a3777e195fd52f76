"""Moving means whose every value depends on its own bars alone, to the last bit.

A running sum carries its rounding along, so that the same bars give another last digit after another past. Where a
price on a grid is compared with a mean of such prices, that digit decides.
"""

from __future__ import annotations

import numpy as np

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column


def moving_mean(values: Column, length: int) -> Column:
    """Return the mean of the `length` values that end with each; NaN where there are fewer.

    Raises InvalidValue when `length` is below 1.
    """
    if length < 1:
        raise InvalidValue("length", length, "1 or more bars")
    means = np.full(len(values), np.nan)
    if len(values) >= length:
        means[length - 1 :] = _sums(values, length) / length
    return means


def moving_deviation(values: Column, mean: Column, length: int) -> Column:
    """Return the population deviation (ddof 0) of the same values around their `mean`."""
    deviation = np.full(len(values), np.nan)
    count = len(values) - length + 1
    if count > 0:
        around, squares = mean[length - 1 :], np.zeros(count)
        for first in range(length):
            away = values[first : first + count] - around
            squares += away * away
        deviation[length - 1 :] = np.sqrt(squares / length)
    return deviation


def _sums(values: Column, length: int) -> Column:
    count = len(values) - length + 1
    sums = np.zeros(count)
    for first in range(length):
        sums += values[first : first + count]
    return sums
