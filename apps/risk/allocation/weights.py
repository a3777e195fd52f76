"""Shares of capital out of a covariance. Pure; every method returns shares above zero that add up to one.

    equal                1 / n
    inverse volatility   proportional to 1 / volatility: right where nobody is like anybody
    equal risk           each strategy adds the same to the risk of all, likeness counted (Maillard, Roncalli and
                         Teiletche, The Properties of Equally Weighted Risk Contribution Portfolios, Journal of
                         Portfolio Management 36(4), 2010). Solved by cyclical coordinate descent (Griveau-Billion,
                         Richard and Roncalli, A Fast Algorithm for Computing High-Dimensional Risk Parity Portfolios,
                         2013): x_i is the positive root of s_ii x^2 + b x = 1 / n, b what the others have in common
                         with it.

The covariance is Ledoit and Wolf's (A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices, Journal of
Multivariate Analysis 88(2), 2004): of a few hundred returns the plain one is mostly noise, and noise looks like hedges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue, Invariant

Floats = NDArray[np.float64]
ENOUGH = 1e-12
MOST_ROUNDS = 10_000


class AllocationMethod(StrEnum):
    """How capital is shared."""

    EQUAL = "equal"
    INVERSE_VOLATILITY = "inverse_volatility"
    EQUAL_RISK = "equal_risk"


def shrunk_covariance(returns: Floats) -> Floats:
    """Return the covariance of the columns of `returns`, rows of which are complete. Raises InvalidValue otherwise."""
    if returns.ndim != 2 or len(returns) < 2 or not bool(np.isfinite(returns).all()):
        raise InvalidValue("returns", f"shape {returns.shape}", "two complete rows or more")
    # It takes seconds to import, and only this needs it.
    from sklearn.covariance import LedoitWolf  # noqa: PLC0415  see above

    # In units of the largest, for the squares of small returns are smaller than what the estimator takes for nothing.
    unit = float(np.max(np.abs(returns)))
    if not unit > 0:
        return np.zeros((returns.shape[1], returns.shape[1]))
    covariance: Floats = LedoitWolf().fit(returns / unit).covariance_ * unit**2
    return covariance


def shares(method: AllocationMethod, covariance: Floats) -> Floats:
    """Return the share of each column. Raises InvalidValue for a covariance with a variance not above zero."""
    variances = np.diag(covariance)
    if not len(variances) or not bool((variances > 0).all() and np.isfinite(covariance).all()):
        raise InvalidValue("covariance", variances.tolist(), "finite, each variance above 0")
    return _METHODS[method](covariance)


def capped(wanted: Floats, most: float) -> Floats:
    """Return the shares with none above `most`, what is cut off given to the others in proportion.

    `most` below 1 / n cannot be kept to, and is taken for 1 / n.
    """
    most = max(most, 1 / len(wanted))
    given, free = wanted.copy(), np.ones(len(wanted), dtype=bool)
    # Each round fixes one at least, so there are no more rounds than shares.
    for _ in range(len(wanted)):
        over = free & (given > most + ENOUGH)
        if not bool(over.any()):
            break
        given[over], free = most, free & ~over
        left = 1 - float(given[~free].sum())
        given[free] *= left / float(given[free].sum()) if bool(free.any()) else 1.0
    return np.asarray(np.minimum(given, most))


def risk_shares(weights: Floats, covariance: Floats) -> Floats:
    """Return the part of the whole's variance that each weight adds; they add up to one."""
    added: Floats = weights * (covariance @ weights)
    return np.asarray(added / added.sum())


def _equal(covariance: Floats) -> Floats:
    count = len(covariance)
    return np.full(count, 1 / count)


def _inverse_volatility(covariance: Floats) -> Floats:
    inverse: Floats = 1 / np.sqrt(np.diag(covariance))
    return np.asarray(inverse / inverse.sum())


def _equal_risk(covariance: Floats) -> Floats:
    count = len(covariance)
    scale = np.sqrt(np.diag(covariance))
    # On correlations, so that units play no part; the shares are scaled back at the end.
    alike = covariance / np.outer(scale, scale)
    x = np.full(count, 1 / math.sqrt(count))
    for _ in range(MOST_ROUNDS):
        before = x.copy()
        for i in range(count):
            b = float(alike[i] @ x - alike[i, i] * x[i])
            x[i] = (-b + math.sqrt(b * b + 4 * alike[i, i] / count)) / (2 * alike[i, i])
        if float(np.max(np.abs(x - before))) < ENOUGH:
            weights: Floats = x / scale
            return np.asarray(weights / weights.sum())
    raise Invariant(f"equal risk shares of {count} strategies were not found in {MOST_ROUNDS} rounds")


_METHODS: Mapping[AllocationMethod, Callable[[Floats], Floats]] = MappingProxyType(
    {
        AllocationMethod.EQUAL: _equal,
        AllocationMethod.INVERSE_VOLATILITY: _inverse_volatility,
        AllocationMethod.EQUAL_RISK: _equal_risk,
    }
)
