"""Quotes of a risk-averse dealer with a horizon.

Source: M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book", Quantitative
Finance 8(3), 2008, 217-224; orders are assumed to fill at the rate A exp(-k x distance).
Units are free as long as they agree: with prices in x, `sigma` is in x per square root of a
second, `k` in 1/x, `gamma` in 1/(x unit); here x is basis points of the mid.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", float, NDArray[np.float64])


def reservation_price(mid: Number, inventory: Number, gamma: float, sigma: float, horizon: float) -> Number:
    """Return the price at which the dealer is indifferent: s - q gamma sigma^2 (T - t).

    `inventory` in units of one quote, signed; `horizon` = T - t in seconds.
    """
    return mid - inventory * (gamma * sigma * sigma * horizon)


def spread(gamma: float, sigma: float, horizon: float, k: float) -> float:
    """Return the whole distance from bid to ask: gamma sigma^2 (T - t) + (2/gamma) ln(1 + gamma/k)."""
    return gamma * sigma * sigma * horizon + 2 / gamma * math.log1p(gamma / k)


def skew_per_unit(gamma: float, sigma: float, horizon: float) -> float:
    """Return how far both quotes move down for each unit held."""
    return gamma * sigma * sigma * horizon
