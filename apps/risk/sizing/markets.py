"""Reads how much a strategy's markets move off the bars at hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.risk.sizing.rule import SizingMethod, SizingRule
from apps.risk.sizing.volatility import average_true_range, realised_volatility
from moondev.domain.clock import milliseconds
from moondev.domain.market_data import BarSeries

# The newest bar may have closed so many of its lengths ago; an older one tells of another time.
FRESH_BARS = 3


@dataclass(frozen=True, slots=True)
class Movement:
    """Volatility of a year and average true range (share of the price) of the market that moves most."""

    volatility: float | None = None
    true_range: float | None = None


def movement(rule: SizingRule, markets: Iterable[BarSeries | None], now: datetime) -> Movement:
    """Return how much the markets move by what `rule` looks at; not known when that is so of any of them."""
    if not rule.needs:
        return Movement()
    ((interval, count),) = rule.needs.items()
    series = [_usable(bars, interval, count, now) for bars in markets]
    known = [bars for bars in series if bars is not None]
    if not known or len(known) < len(series):
        return Movement()
    if rule.method is SizingMethod.ATR:
        return Movement(true_range=max(average_true_range(bars, rule.bars) for bars in known))
    return Movement(volatility=max(realised_volatility(bars.close, rule.bar_seconds) for bars in known))


def _usable(bars: BarSeries | None, interval: timedelta, count: int, now: datetime) -> BarSeries | None:
    """Return the newest `count` bars; None when they are fewer or old."""
    if bars is None or len(bars) < count:
        return None
    step = round(interval.total_seconds() * 1000)
    closed_ms = int(bars.opened_ms[-1]) + step
    return None if milliseconds(now) - closed_ms > FRESH_BARS * step else bars.tail(count)
