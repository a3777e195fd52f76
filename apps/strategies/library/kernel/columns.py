"""The Nadaraya-Watson rules over a whole past at once: the same as for one bar, a column each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.strategies.library.columns import OnGrid, grid_of, in_ms
from apps.strategies.library.kernel.calls import KINDS, Events, back_at_estimate, called_for, stop_of, weight_of
from apps.strategies.library.kernel.estimates import Estimates, estimates, turns
from apps.strategies.library.kernel.parameters import KernelParameters
from apps.strategies.signals import Past, Rows, Signals, next_of
from moondev.domain.market_data import BarSeries, Column

Numbers = NDArray[np.int64]

TOUCH = KINDS.index("touch")


def kernel_signals(past: Past, params: KernelParameters, leverage: float) -> Signals:
    """Return what the rules would decide at every close of `past`, with `leverage` to size by."""
    bars, grid = past.bars(params.bar), grid_of(past, params.bar)
    seen = estimates(bars, params)
    turned = turns(seen.smooth, params.history_bars - params.window_bars - 1)
    kinds, directions = called_for(_events(bars, seen, turned, params), params)
    distance = params.stop_atr * seen.atr if params.stop_atr else np.zeros(len(bars))
    stops = np.asarray(stop_of(directions, bars.close, distance), dtype=np.float64)
    possible = (distance > 0) & (stops > 0) if params.stop_atr else np.ones(len(bars), dtype=bool)
    possible[: params.minimum_bars - 1] = False
    weights = np.where(possible, directions * weight_of(bars.close, distance, leverage, params), 0.0)
    longs, shorts = (_ends(way, bars, seen, turned, params) for way in (1, -1))
    nothing = np.full(grid.length, np.nan)
    return Signals(
        weights=grid.spread(weights, 0.0),
        prices=grid.spread(bars.close),
        limits=nothing,
        stops=grid.spread(np.where(stops > 0, stops, np.nan)),
        targets=nothing,
        strengths=np.zeros(grid.length),
        hold_ms=np.zeros(grid.length, dtype=np.int64),
        seen=grid.marked(np.ones(len(bars), dtype=bool)),
        bar_ms=in_ms(params.bar),
        leaves=OnGrid(grid, KernelLeaves(kinds == TOUCH, longs, shorts)),
        turns=True,
    )


class KernelLeaves:
    """A trade ends on the turn against it, back at the estimate if a touch began it, or on opposite extremes."""

    def __init__(self, touched: Rows, longs: Ends, shorts: Ends) -> None:
        """Look at the ends of longs and of shorts; `touched` are the bars whose signal was a touch."""
        self._touched, self._ends = touched, {1: longs, -1: shorts}

    def first(self, signalled: int, direction: int, since: int) -> int | None:
        """Return the bar at whose close the trade is left."""
        ends = self._ends[direction]
        found = [next_of(ends.turned, since), ends.counted(signalled, since)]
        if self._touched[signalled]:
            found.append(next_of(ends.back, since))
        return min((bar for bar in found if bar is not None), default=None)


class Ends(NamedTuple):
    """What may end trades of one direction: bars of turns against them, back at the estimate, opposite crossings.

    `complete` are the positions in `crossed` that have `enough` crossings, themselves the last, near enough together.
    """

    turned: Numbers
    back: Numbers
    crossed: Numbers
    complete: Numbers
    enough: int

    def counted(self, bar: int, since: int) -> int | None:
        """Return the first bar from `since` on that makes the crossings after `bar` enough."""
        crossed: memoryview = self.crossed.data
        after, sought = bisect_right(crossed, bar), bisect_left(crossed, since)
        position = next_of(self.complete, max(after + self.enough - 1, sought))
        return None if position is None else int(self.crossed[position])


def _ends(direction: int, bars: BarSeries, seen: Estimates, turned: Column, params: KernelParameters) -> Ends:
    crossed, enough = np.flatnonzero(seen.overbought if direction > 0 else seen.oversold), params.exit_crossings
    complete = np.arange(enough - 1, len(crossed)) if enough else crossed[:0]
    near = crossed[complete] - crossed[complete - enough + 1] < params.extreme_bars
    return Ends(
        turned=np.flatnonzero(turned == -direction),
        back=np.flatnonzero(back_at_estimate(direction, bars.close, seen.smooth)),
        crossed=crossed,
        complete=complete[near],
        enough=enough,
    )


def _events(bars: BarSeries, seen: Estimates, turned: Column, params: KernelParameters) -> Events:
    return Events(
        turn=turned,
        touch=seen.touches(bars),
        oversold=_newest_sum(seen.oversold, params.extreme_bars),
        overbought=_newest_sum(seen.overbought, params.extreme_bars),
        fell=seen.oversold,
        rose=seen.overbought,
    )


def _newest_sum(values: Column, length: int) -> Column:
    total = np.cumsum(values)
    total[length:] -= total[:-length].copy()
    return total
