"""Which risk aversion makes full inventory move the quotes by a wanted number of half-spreads."""

from __future__ import annotations

import math
from collections.abc import Callable

from apps.strategies.library.making import avellaneda_stoikov, glft

LOWEST, HIGHEST = 1e-9, 1e3
HALVINGS = 60


def for_glft(units: float, skew: float, sigma: float, k: float, fill_rate: float) -> float:
    """Return gamma such that `units` held move GLFT's quotes by `skew` half-spreads."""

    def excess(gamma: float) -> float:
        per_unit = glft.skew_per_unit(gamma, sigma, k, fill_rate)
        half = math.log1p(gamma / k) / gamma + per_unit / 2
        return units * per_unit - skew * half

    return _root(excess)


def for_horizon(units: float, skew: float, sigma: float, horizon: float, k: float) -> float:
    """Return gamma such that `units` held move Avellaneda's quotes by `skew` half-spreads."""

    def excess(gamma: float) -> float:
        per_unit = avellaneda_stoikov.skew_per_unit(gamma, sigma, horizon)
        return units * per_unit - skew * avellaneda_stoikov.spread(gamma, sigma, horizon, k) / 2

    return _root(excess)


def _root(excess: Callable[[float], float]) -> float:
    """Return where the rising `excess` crosses zero, by halving logarithms; else the nearer end."""
    low, high = LOWEST, HIGHEST
    if excess(low) >= 0:
        return low
    if excess(high) <= 0:
        return high
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        if excess(middle) < 0:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)
