"""Volatility per square root of a second, measured on closed bars."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column

BPS_IN_ONE = 10_000.0
MS_IN_SECOND = 1_000.0
FEWEST_BARS = 2


def realised_volatility_bps(opened_ms: NDArray[np.int64], close: Column) -> float:
    """Return the volatility of `close` in basis points per square root of a second.

    The square root of (sum of squared log returns / seconds they span): a missing bar lengthens
    the time and does not distort the rate. The mean return is taken as zero, since over minutes it
    is far below its own error. Raises InvalidValue for fewer than two bars.
    """
    if len(close) < FEWEST_BARS:
        raise InvalidValue("bars", len(close), "2 or more closed bars")
    returns = np.diff(np.log(close))
    seconds = float(opened_ms[-1] - opened_ms[0]) / MS_IN_SECOND
    return BPS_IN_ONE * math.sqrt(float(returns @ returns) / seconds)
