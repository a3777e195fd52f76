"""A past that nobody recorded, for strategies that look back farther than a short record reaches.

A market maker measures volatility before it quotes; a record of minutes has no hour before it. These bars say only
how restless the market is taken to have been. A result that rests on them carries a warning.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np

from apps.strategies.backtest.quoting.latency import nanoseconds
from apps.strategies.backtest.quoting.setting import QuoteMarket
from apps.strategies.backtest.quoting.tape import LEVEL, NS_PER_MS, Tape
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

_BPS = 1e-4


def assumed_bars(tape: Tape, interval: timedelta, count: int, volatility_bps: float) -> BarSeries:
    """Return `count` bars that end before the record begins, going up and down by turns.

    `volatility_bps` are basis points per square root of a second; each close is that volatility over one bar away
    from the one before. All lie around the middle of the book the record begins with.
    """
    if count < 1 or not (math.isfinite(volatility_bps) and volatility_bps >= 0):
        raise InvalidValue("assumed bars", (count, volatility_bps), "1 bar or more, volatility 0 or more")
    step = nanoseconds(interval)
    first = tape.starts_ns // step - count
    opened = (np.arange(count, dtype=np.int64) + first) * (step // NS_PER_MS)
    middle, move = _middle(tape), volatility_bps * _BPS * math.sqrt(interval.total_seconds())
    close = middle * (1 + np.where(np.arange(count) % 2 == 0, 0.5, -0.5) * move)
    opens = np.concatenate([[middle], close[:-1]])
    return BarSeries(
        interval, opened, opens, np.maximum(opens, close), np.minimum(opens, close), close, np.zeros(count)
    )  # fmt: skip


def with_assumed_past(market: QuoteMarket, interval: timedelta, count: int, volatility_bps: float) -> QuoteMarket:
    """Return `market` with `assumed_bars` before it, and the doubt that belongs to them."""
    doubt = f"the {count} bars before the record are made up: {volatility_bps:g} bp per square root of a second"
    before = assumed_bars(market.tape, interval, count, volatility_bps)
    return replace(market, before=before, doubts=(*market.doubts, doubt))


def _middle(tape: Tape) -> float:
    opening = slice(0, max(tape.opening, 1))
    level = tape.kinds[opening] == LEVEL
    bids = tape.ticks[opening][level & (tape.sides[opening] > 0)]
    asks = tape.ticks[opening][level & (tape.sides[opening] < 0)]
    if not len(bids) or not len(asks):
        raise InvalidValue(f"{tape.key}, opening book", "a side is empty", "bids and asks")
    return float((bids.max() + asks.min()) / 2) * float(tape.tick)
