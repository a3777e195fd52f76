"""Wilder's averages as a reader of the newest bars alone would compute them, for every bar in one pass.

A Wilder average never quite forgets where it began. Whoever looks at the newest `window` bars begins anew at each
bar; here that other beginning is worked in afterwards, so that one pass gives what a thousand windows would.
"""

from __future__ import annotations

import numpy as np
import talib

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column


def average_true_range_within(high: Column, low: Column, close: Column, length: int, window: int) -> Column:
    """Return for each bar the average true range over the `window` bars that end with it, all of them at first.

    Seeded with the mean of the window's first `length` true ranges; NaN until those are known. Raises InvalidValue
    for a window that does not hold more than `length` bars.
    """
    _require_room(length, window)
    if len(close) <= length:
        return np.full(len(close), np.nan)
    return _seeded_within(talib.TRANGE(high, low, close), talib.ATR(high, low, close, length), length, window)


def relative_strength_within(close: Column, length: int, window: int) -> Column:
    """Return for each bar Wilder's relative strength index over the `window` bars that end with it, all at first.

    From 0 to 100, 0 where nothing moved; NaN until `length` changes are known. Raises InvalidValue for a window that
    does not hold more than `length` bars.
    """
    _require_room(length, window)
    if len(close) <= length:
        return np.full(len(close), np.nan)
    change = np.diff(close, prepend=close[0])
    gained = _average_within(np.maximum(change, 0.0), length, window)
    lost = _average_within(np.maximum(-change, 0.0), length, window)
    both = gained + lost
    strength: Column = np.divide(100 * gained, both, out=np.where(np.isnan(both), np.nan, 0.0), where=both > 0)
    return strength


def _average_within(values: Column, length: int, window: int) -> Column:
    # The true range of bars from 0 to `values` that all close at 0 is `values`.
    nothing = np.zeros(len(values))
    return _seeded_within(values, talib.ATR(values, nothing, nothing, length), length, window)


def _seeded_within(values: Column, averages: Column, length: int, window: int) -> Column:
    """Return `averages` of `values`, seeded once, as if seeded at the start of each bar's own window."""
    steps = window - 1 - length
    if len(values) < window:
        return averages
    seeds = talib.SMA(values, length) if length > 1 else values
    faded = (1 - 1 / length) ** steps
    within = averages.copy()
    seeded = slice(length, len(values) - steps)
    within[length + steps :] += faded * (seeds[seeded] - averages[seeded])
    return within


def _require_room(length: int, window: int) -> None:
    if not 1 <= length < window:
        raise InvalidValue("window", window, f"more than length ({length}), which is 1 or more")
