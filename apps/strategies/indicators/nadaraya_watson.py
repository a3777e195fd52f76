"""The Nadaraya-Watson estimate at each bar from that bar and those before it: it never repaints.

The usual plot fits one curve through all bars, so each new bar redraws the old ones. Here the value of a bar is that
of the curve fitted on its own past, read at its end, which nothing later can change.
"""

from __future__ import annotations

import numpy as np
import talib

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column


def gaussian_weights(length: int, bandwidth: float) -> Column:
    """Return the weights of the `length` newest bars, newest first: exp(-d^2 / (2 h^2)) at distance d, in bars.

    Raises InvalidValue when `length` is below 1 or `bandwidth` is not above 0. Sources: E. A. Nadaraya, "On Estimating
    Regression", 1964; G. S. Watson, "Smooth Regression Analysis", 1964.
    """
    squares = _squares(length, bandwidth)
    return np.exp(-squares / 2)


def rational_quadratic_weights(length: int, bandwidth: float, relative_weight: float) -> Column:
    """Return the weights of the `length` newest bars, newest first: (1 + d^2 / (2 a h^2))^-a, a = `relative_weight`.

    A sum of Gaussians of many bandwidths; it becomes the Gaussian as a grows. Raises InvalidValue when `length` is
    below 1, or `bandwidth` or `relative_weight` is not above 0. Source: C. E. Rasmussen and C. K. I. Williams,
    "Gaussian Processes for Machine Learning", 2006, section 4.2.
    """
    if not relative_weight > 0:
        raise InvalidValue("relative_weight", relative_weight, "a number above 0")
    squares = _squares(length, bandwidth)
    return np.power(1 + squares / (2 * relative_weight), -relative_weight)


def one_sided(values: Column, weights: Column) -> Column:
    """Return for each bar the mean of it and the bars before it by `weights` (newest first).

    NaN until as many bars are known as there are weights.
    """
    length = len(weights)
    smooth = np.full(len(values), np.nan)
    if len(values) >= length:
        smooth[length - 1 :] = np.convolve(values, weights, mode="valid") / weights.sum()
    return smooth


def mean_absolute_error(values: Column, smooth: Column, length: int) -> Column:
    """Return for each bar the mean of |value - estimate| over it and the `length` - 1 before it.

    Each error is that of its own time, so the band does not repaint either. NaN until `length` errors are known.
    Raises InvalidValue when `length` is below 1.
    """
    if length < 1:
        raise InvalidValue("length", length, "1 or more bars")
    errors = np.abs(values - smooth)
    return errors if length == 1 else talib.SMA(errors, timeperiod=length)


def _squares(length: int, bandwidth: float) -> Column:
    if length < 1:
        raise InvalidValue("length", length, "1 or more bars")
    if not bandwidth > 0:
        raise InvalidValue("bandwidth", bandwidth, "a number of bars above 0")
    return np.square(np.arange(length, dtype=np.float64) / bandwidth)
