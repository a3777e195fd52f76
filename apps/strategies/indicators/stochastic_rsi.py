"""Where the relative strength index stands within its own recent range."""

from __future__ import annotations

import numpy as np
import talib

from moondev.domain.market_data import Column


def stochastic_rsi(close: Column, rsi_bars: int, range_bars: int) -> Column:
    """Return 100 x (RSI - lowest RSI) / (highest - lowest) over `range_bars`, from 0 to 100; NaN at first.

    Wilder's RSI, unsmoothed: TA-Lib's STOCHRSI with a fast D of one bar. The first value stands at index
    `rsi_bars` + `range_bars` - 1. Source: T. Chande and S. Kroll, "The New Technical Trader", 1994.
    """
    fast_k, _ = talib.STOCHRSI(np.ascontiguousarray(close), rsi_bars, range_bars, 1)
    return np.asarray(fast_k, dtype=np.float64)


def crossings(values: Column, level: float, direction: int) -> Column:
    """Return 1 for each bar whose value went beyond `level` since the bar before, else 0.

    `direction` 1 counts crossings upwards, -1 downwards; a bar next to a NaN has none.
    """
    beyond = direction * (values - level) > 0
    known = np.isfinite(values)
    crossed = np.zeros(len(values))
    crossed[1:] = beyond[1:] & ~beyond[:-1] & known[1:] & known[:-1]
    return crossed
