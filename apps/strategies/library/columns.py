"""From columns over a strategy's own bars to columns over the recorded ones, and which longer bar was known when."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.signals import Leaves, Past, Rows
from moondev.domain.market_data import BarSeries, Column

MS_IN_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Where in the base bars a strategy's own bars close: `rows` has one base row for each of them."""

    rows: NDArray[np.int64]
    length: int

    def spread(self, values: Column, otherwise: float = np.nan) -> Column:
        """Return one value for each base bar: that of the bar which closes with it, else `otherwise`."""
        if len(self.rows) == self.length:
            return values
        column = np.full(self.length, otherwise)
        column[self.rows] = values
        return column

    def marked(self, flags: Rows) -> Rows:
        """Return the base bars with which a bar closes whose flag is set."""
        column = np.zeros(self.length, dtype=bool)
        column[self.rows[flags]] = True
        return column


class OnGrid:
    """Ends of trades told in a strategy's own bars, for those who count base bars."""

    def __init__(self, grid: Grid, ends: Leaves) -> None:
        """Ask `ends`, whose rows are the bars of `grid`."""
        self._rows, self._ends = grid.rows, ends

    def first(self, signalled: int, direction: int, since: int) -> int | None:
        """Return the base row at whose close the trade is left."""
        rows: memoryview = self._rows.data
        bar, sought = bisect_left(rows, signalled), bisect_left(rows, since)
        ended = self._ends.first(bar, direction, sought)
        return None if ended is None else int(self._rows[ended])


def grid_of(past: Past, interval: timedelta) -> Grid:
    """Return where the bars of `interval` close."""
    closed = past.closed(interval)
    if interval == past.base.interval:
        return Grid(np.arange(len(closed)), len(closed))
    numbers = np.arange(1, len(past.bars(interval)) + 1)
    return Grid(np.searchsorted(closed, numbers, side="left"), len(closed))


def newest_known(bars: BarSeries, others: BarSeries) -> NDArray[np.int64]:
    """Return for each of `bars` the newest of `others` that closed no later; -1 when that one is missing.

    A bar that closed later would tell of the future; one that is late, of the past.
    """
    length = in_ms(others.interval)
    closes = bars.opened_ms + in_ms(bars.interval)
    newest = np.searchsorted(others.opened_ms, closes - length, side="right") - 1
    if not len(others):
        return newest
    late = closes - others.opened_ms[newest] - length >= length
    newest[late] = -1
    return newest


def in_ms(length: timedelta) -> int:
    """Return `length` in milliseconds."""
    return int(length.total_seconds()) * MS_IN_SECOND
