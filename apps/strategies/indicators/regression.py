"""One series explained by another: slope, correlation, and what is left over."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column

FEWEST = 3


class Line(NamedTuple):
    """y = alpha + beta x, by ordinary least squares; `correlation` is that of x and y."""

    alpha: float
    beta: float
    correlation: float

    def rest(self, y: Column, x: Column) -> Column:
        """Return what the line leaves of `y`."""
        return y - self.alpha - self.beta * x


def fitted(y: Column, x: Column) -> Line:
    """Return the line through `y` over `x`; all NaN when one of them does not move.

    Raises InvalidValue for fewer than three values and for columns of different length.
    """
    if len(y) != len(x) or len(y) < FEWEST:
        raise InvalidValue("values", f"{len(y)} and {len(x)}", f"two columns of one length, {FEWEST} or more")
    from_x, from_y = x - x.mean(), y - y.mean()
    xx, yy, xy = float(from_x @ from_x), float(from_y @ from_y), float(from_x @ from_y)
    if not (xx > 0 and yy > 0):
        return Line(math.nan, math.nan, math.nan)
    beta = xy / xx
    return Line(float(y.mean() - beta * x.mean()), beta, xy / math.sqrt(xx * yy))


def rank_correlation(y: Column, x: Column) -> float:
    """Return Spearman's correlation of the ranks, which one extreme value cannot spoil; NaN when one does not move.

    Raises InvalidValue as `fitted` does. Source: C. Spearman, American Journal of Psychology 15, 1904.
    """
    return fitted(_ranks(y), _ranks(x)).correlation


def _ranks(values: Column) -> Column:
    """Return the rank of each value; equal ones share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], dtype=np.float64)
