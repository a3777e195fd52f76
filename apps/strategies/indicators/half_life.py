"""How long a value takes to come half the way back to its mean."""

from __future__ import annotations

import math

import numpy as np

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column

FEWEST_VALUES = 3


def half_life(values: Column) -> float:
    """Return -ln 2 / lambda in steps, where lambda is the slope of each change on the value before.

    Infinite when nothing pulls back (lambda of 0 or more) or nothing varies. Biased low on short
    windows: a random walk of 100 steps shows some 13 (Dickey and Fuller). Raises InvalidValue for
    fewer than three values. Source: E. Chan, "Algorithmic Trading", 2013, chapter 2.
    """
    if len(values) < FEWEST_VALUES:
        raise InvalidValue("values", len(values), f"{FEWEST_VALUES} or more")
    before = values[:-1] - values[:-1].mean()
    spread = float(before @ before)
    if not spread > 0:
        return math.inf
    slope = float(before @ np.diff(values)) / spread
    return -math.log(2) / slope if slope < 0 else math.inf
