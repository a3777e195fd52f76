"""How much a Sharpe ratio is worth: its chance of being above another, and what the best of many is by luck alone.

All ratios are per period of the returns (a daily ratio is the yearly one / sqrt(365)); kurtosis is 3 for a normal
distribution. Sources: D. Bailey and M. López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15(2),
2012, and "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5), 2014.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Moments:
    """What the formulas take of a column of returns: its length, Sharpe ratio and shape."""

    count: int
    sharpe: float
    skew: float
    kurtosis: float

    @property
    def uncertainty(self) -> float:
        """Return the standard error of the ratio times sqrt(count - 1)."""
        # Zero for returns of two values only, whose kurtosis is the least there can be: then rounding decides the sign.
        return math.sqrt(max(1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2, 1e-12))


def moments(returns: Column) -> Moments | None:
    """Return the moments; None for fewer than three returns and for returns that do not vary."""
    # Half a second and fifty megabytes, which a process that only shows pages should not pay.
    from scipy import stats  # noqa: PLC0415  only when it is asked

    if len(returns) < 3 or not float(returns.std()) > 1e-15:
        return None
    return Moments(
        len(returns),
        float(returns.mean() / returns.std(ddof=1)),
        float(stats.skew(returns)),
        float(stats.kurtosis(returns, fisher=False)),
    )


def probabilistic(found: Moments, benchmark: float) -> float:
    """Return the probability that the true ratio is above `benchmark`."""
    distance = (found.sharpe - benchmark) * math.sqrt(found.count - 1)
    return _NORMAL.cdf(distance / found.uncertainty)


def expected_maximum(trials: int, variance: float) -> float:
    """Return the best ratio to expect of `trials` independent ones that are worth nothing.

    `variance` is that of the trials' ratios. One trial was not chosen among others: 0. Raises InvalidValue for fewer.
    """
    if trials < 1:
        raise InvalidValue("trials", trials, "1 or more")
    if trials == 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * float((1 - np.euler_gamma) * first + np.euler_gamma * second)


def deflated(found: Moments, trials: int, variance: float) -> float:
    """Return the probability that the true ratio is above what luck gives the best of `trials`."""
    return probabilistic(found, expected_maximum(trials, variance))


def shortest_record(found: Moments, benchmark: float, confidence: float = 0.95) -> float | None:
    """Return how many returns it takes to be `confidence` sure of a true ratio above `benchmark`.

    None: the ratio found is not above it by anything that a record could show.
    """
    if found.sharpe - benchmark < 1e-9:
        return None
    needed = _NORMAL.inv_cdf(confidence) / (found.sharpe - benchmark)
    return 1 + found.uncertainty**2 * needed**2


def variance_by_chance(count: int) -> float:
    """Return the variance of ratios of `count` returns each that are worth nothing."""
    return 1 / (count - 1)
