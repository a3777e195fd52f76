"""Price channels that end before the bar they are compared with."""

from __future__ import annotations

import numpy as np
import talib

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column


def prior_highest(values: Column, length: int) -> Column:
    """Return for each bar the highest of the `length` bars before it; NaN where there are fewer.

    The bar itself is never part of its own channel: with it, nothing could ever break out.
    Raises InvalidValue when `length` is below 1.
    """
    channel = _empty_channel(values, length)
    if len(values) > length:
        channel[length:] = talib.MAX(values[:-1], timeperiod=length)[length - 1 :] if length > 1 else values[:-1]
    return channel


def prior_lowest(values: Column, length: int) -> Column:
    """Return for each bar the lowest of the `length` bars before it; NaN where there are fewer.

    Raises InvalidValue when `length` is below 1.
    """
    channel = _empty_channel(values, length)
    if len(values) > length:
        channel[length:] = talib.MIN(values[:-1], timeperiod=length)[length - 1 :] if length > 1 else values[:-1]
    return channel


def _empty_channel(values: Column, length: int) -> Column:
    if length < 1:
        raise InvalidValue("length", length, "1 or more bars")
    return np.full(len(values), np.nan)
