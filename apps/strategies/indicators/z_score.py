"""How far a price is from its mean, in standard deviations."""

from __future__ import annotations

import numpy as np

from apps.strategies.indicators.moving import moving_deviation, moving_mean
from moondev.domain.market_data import Column


def mean_and_deviation(values: Column, length: int) -> tuple[Column, Column]:
    """Return the moving mean and the population standard deviation (ddof 0) over `length` bars.

    NaN where there are fewer bars. These are the middle of the Bollinger bands and a half of their
    distance at 2; a sample deviation (ddof 1) would be wider by sqrt(length / (length - 1)).
    """
    mean = moving_mean(values, length)
    return mean, moving_deviation(values, mean, length)


def z_scores(values: Column, length: int) -> Column:
    """Return (value - mean) / deviation over the `length` bars that end with each; NaN where nothing varies."""
    return standardised(values, *mean_and_deviation(values, length))


def standardised(values: Column, mean: Column, deviation: Column) -> Column:
    """Return (value - mean) / deviation, NaN where the deviation is 0 but for rounding."""
    # Of a constant, rounding leaves some 1e-16 of the price.
    varies = deviation > 1e-7 * np.abs(mean)
    z: Column = np.divide(values - mean, deviation, out=np.full(len(values), np.nan), where=varies)
    return z
