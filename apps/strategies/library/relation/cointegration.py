"""Whether two prices belong together, as statsmodels tests it.

Imported only where pairs are traded: statsmodels brings scipy and pandas, a second and some 75 MB per process.
"""

from __future__ import annotations

from typing import NamedTuple

from statsmodels.tsa.stattools import coint

from apps.strategies.indicators.half_life import half_life
from apps.strategies.indicators.regression import Line, fitted
from moondev.domain.market_data import Column


class Relation(NamedTuple):
    """The line through two log prices, p of no cointegration, and the half-life of what is left over, in bars."""

    line: Line
    p_value: float
    half_life: float


def related(y: Column, x: Column, lags: int) -> Relation:
    """Return how `y` hangs on `x`, by Engle and Granger's two steps with `lags` lagged changes.

    Source: R. Engle and C. Granger, "Co-integration and Error Correction", Econometrica 55, 1987.
    """
    line = fitted(y, x)
    # A fixed number of lags: choosing it anew would take a hundred times as long, and jump from bar to bar.
    _, p_value, _ = coint(y, x, maxlag=lags, autolag=None)
    return Relation(line, float(p_value), half_life(line.rest(y, x)))
