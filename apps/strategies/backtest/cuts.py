"""A setting on a part of its past, and under other costs: what folds and honesty checks run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars, content_hash
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

FEWEST_BARS = 2


def opened_between(setting: Setting, start: datetime | None, end: datetime | None) -> Setting:
    """Return the setting with the bars opened in [start, end) of every market; None leaves that end open.

    The columns are copies: nothing of what was cut off can be reached from them. `trades_from` stays as it is. Raises
    InvalidValue when a market is left with fewer than two bars.
    """
    first = None if start is None else milliseconds(start)
    last = None if end is None else milliseconds(end)
    return replace(setting, markets=tuple(_cut(market, first, last) for market in setting.markets))


def with_costs(setting: Setting, changed: Callable[[Costs], Costs]) -> Setting:
    """Return the setting with `changed` costs in every market."""
    markets = tuple(replace(market, costs=changed(market.costs)) for market in setting.markets)
    return replace(setting, markets=markets)


def moved(setting: Setting, by: timedelta) -> Setting:
    """Return the setting as if all of it had happened later by `by`, its funding too."""
    starts = setting.trades_from
    return replace(
        setting,
        markets=tuple(_moved(market, round(by.total_seconds() * 1000)) for market in setting.markets),
        trades_from=None if starts is None else starts + by,
    )


def timeline(setting: Setting) -> NDArray[np.int64]:
    """Return the open times, in ms UTC, at which any market has a bar; rising."""
    return np.unique(np.concatenate([market.recorded.bars.opened_ms for market in setting.markets]))


def span(setting: Setting) -> timedelta:
    """Return the time from the first open to the last close."""
    stamps = timeline(setting)
    return timedelta(milliseconds=int(stamps[-1] - stamps[0])) + setting.interval


def _cut(market: Market, start: int | None, end: int | None) -> Market:
    bars = market.recorded.bars
    first = 0 if start is None else int(np.searchsorted(bars.opened_ms, start))
    stop = len(bars) if end is None else int(np.searchsorted(bars.opened_ms, end))
    if stop - first < FEWEST_BARS:
        asked = f"{max(stop - first, 0)} bars from {_text(start)} to {_text(end)}"
        raise InvalidValue(market.key, asked, f"a part with {FEWEST_BARS} bars or more")
    columns = [column[first:stop].copy() for column in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
    part = BarSeries(bars.interval, bars.opened_ms[first:stop].copy(), *columns)
    edges = f"{from_milliseconds(int(part.opened_ms[0])):%Y-%m-%d %H:%M} on, {len(part)} bars"
    return replace(market, recorded=_recorded(market.recorded, part, edges))


def _moved(market: Market, by_ms: int) -> Market:
    bars, funding = market.recorded.bars, market.costs.funding
    later = replace(bars, opened_ms=bars.opened_ms + by_ms)
    rates = None if funding is None else replace(funding, times=funding.times + by_ms)
    words = f"as if {timedelta(milliseconds=by_ms)} later"
    return replace(
        market, recorded=_recorded(market.recorded, later, words), costs=replace(market.costs, funding=rates)
    )


def _recorded(whole: RecordedBars, bars: BarSeries, words: str) -> RecordedBars:
    source = DataSource(f"{whole.source.description}; {words}", content_hash(bars), whole.source.warnings)
    return replace(whole, bars=bars, source=source)


def _text(stamp_ms: int | None) -> str:
    return "the end" if stamp_ms is None else f"{from_milliseconds(stamp_ms):%Y-%m-%d %H:%M}"
