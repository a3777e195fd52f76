"""Bars that a record makes, and when each is closed for us: once news from after its end has come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import numpy as np

from apps.strategies.backtest.history import History
from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.latency import nanoseconds
from apps.strategies.backtest.quoting.levels import Ladder
from apps.strategies.backtest.quoting.tape import NS_PER_MS, Whole
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Column


class HeardBars:
    """The bars of one market by interval; of each only those whose end has been heard."""

    def __init__(self, tables: Tables, ear: Ear, intervals: Iterable[timedelta], before: BarSeries | None) -> None:
        """Build the bars of `intervals`, whole ones only. Raises InvalidValue for `before` that does not join on."""
        lengths = sorted(intervals)
        base = lengths[0]
        made = bars_of_tape(tables, base)
        self._past = 0 if before is None else len(before)
        joined = made if before is None else _joined(before, made, tables.tape.starts_ns)
        self.closes_ns = _heard_ends(ear, made, base)
        self._history = History(joined, lengths) if len(joined) else None

    def window(self, interval: timedelta, count: int, now_ns: int) -> BarSeries | None:
        """Return the newest `count` bars of `interval` that are closed for us by `now_ns`; None when there are none."""
        if self._history is None:
            return None
        rows = self._past + int(np.searchsorted(self.closes_ns, now_ns, side="right"))
        window = self._history.window(interval, rows, count)
        return window if len(window) else None


def bars_of_tape(tables: Tables, interval: timedelta) -> BarSeries:
    """Return the bars of whole intervals within the record, from its trades, or the middles of its book.

    An interval without a trade is flat at the price before it.
    """
    at_ns, prices, sizes = _prints(tables)
    step, tape = nanoseconds(interval), tables.tape
    first, stop = -(-tape.starts_ns // step), tape.ends_ns // step
    count = max(0, stop - first)
    edges = (np.arange(count + 1) + first) * step
    begins = np.searchsorted(at_ns, edges)
    # Before the first trade there is no price: bars that end by then are left out.
    skipped = int(np.searchsorted(begins[1:], 1))
    opened = edges[:-1][skipped:] // NS_PER_MS
    columns = np.empty((5, count - skipped))
    for row in range(skipped, count):
        span = slice(int(begins[row]), int(begins[row + 1]))
        part = prices[span] if span.start < span.stop else prices[span.start - 1 : span.start]
        volume = sizes[span].sum() if span.start < span.stop else 0.0
        columns[:, row - skipped] = (part[0], part.max(), part.min(), part[-1], volume)
    return BarSeries(interval, opened.astype(np.int64), *columns)


def _prints(tables: Tables) -> tuple[Whole, Column, Column]:
    tape, tick, lot = tables.tape, float(tables.tape.tick), float(tables.tape.lot)
    if len(tables.trades):
        rows = tables.trades
        prices = np.asarray(np.round(tape.ticks[rows] * tick, 9), dtype=np.float64)
        sizes = np.asarray(tape.lots[rows] * lot, dtype=np.float64)
        return tape.happened_ns[rows], prices, sizes
    ladder, at_ns = Ladder(tables.levels), tape.happened_ns[tables.wholes]
    middles = np.empty(len(at_ns))
    for number, stamp in enumerate(at_ns.tolist()):
        ladder.move(stamp)
        middles[number] = ((ladder.best_bid() or 0) + (ladder.best_ask() or 0)) / 2 * tick
    return at_ns, np.round(middles, 9), np.zeros(len(at_ns))


def _heard_ends(ear: Ear, bars: BarSeries, interval: timedelta) -> Whole:
    """Return when we first hear of something that happened after each bar's end."""
    if not len(bars):
        return np.zeros(0, np.int64)
    ends = bars.opened_ms * NS_PER_MS + nanoseconds(interval)
    newest = np.maximum.accumulate(ear.tape.happened_ns[ear.order])
    rows = np.searchsorted(newest, ends)
    return np.where(rows < len(newest), ear.heard_ns[np.minimum(rows, len(newest) - 1)], np.iinfo(np.int64).max)


def _joined(before: BarSeries, made: BarSeries, starts_ns: int) -> BarSeries:
    if before.interval != made.interval:
        raise InvalidValue("before", f"bars of {before.interval}", f"bars of {made.interval}, as the strategy looks at")
    ends_ns = int(before.opened_ms[-1]) * NS_PER_MS + nanoseconds(before.interval) if len(before) else starts_ns
    if ends_ns > starts_ns:
        told = f"a bar that closed at {from_milliseconds(ends_ns / NS_PER_MS):%Y-%m-%d %H:%M:%S}"
        began = f"{from_milliseconds(starts_ns / NS_PER_MS):%Y-%m-%d %H:%M:%S}"
        raise InvalidValue("before", told, f"bars that closed before the record began at {began}")
    columns = [
        np.concatenate([getattr(before, name), getattr(made, name)])
        for name in ("opened_ms", "open", "high", "low", "close", "volume")
    ]
    return BarSeries(made.interval, *columns)
