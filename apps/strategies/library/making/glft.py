"""Quotes of a risk-averse dealer without a horizon, in closed form.

Source: O. Gueant, C.-A. Lehalle and J. Fernandez-Tapia, "Dealing with the inventory risk: a
solution to the market making problem", Mathematics and Financial Economics 7(4), 2013, 477-507
(asymptotic approximation). Units as in `avellaneda_stoikov`; `fill_rate` is A, in fills per second
at no distance from the mid.
"""

from __future__ import annotations

import math


def skew_per_unit(gamma: float, sigma: float, k: float, fill_rate: float) -> float:
    """Return how far both quotes move down for each unit held.

    sqrt(sigma^2 gamma / (2 k A) x (1 + gamma/k)^(1 + k/gamma)); also the width added by risk.
    """
    power = math.exp((1 + k / gamma) * math.log1p(gamma / k))
    return math.sqrt(sigma * sigma * gamma / (2 * k * fill_rate) * power)


def distances(inventory: float, gamma: float, sigma: float, k: float, fill_rate: float) -> tuple[float, float]:
    """Return how far bid and ask lie from the mid with `inventory` units held.

    Bid: ln(1 + gamma/k)/gamma + (2q + 1)/2 x skew; ask the same with (1 - 2q)/2.
    """
    base = math.log1p(gamma / k) / gamma
    skew = skew_per_unit(gamma, sigma, k, fill_rate)
    return base + (2 * inventory + 1) / 2 * skew, base + (1 - 2 * inventory) / 2 * skew
