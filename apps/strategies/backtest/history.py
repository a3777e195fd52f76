"""One market's past: the recorded bars, the longer ones they make, and which of them are closed when.

A longer bar is made of a whole group of recorded ones and of nothing less; groups are aligned to 1970-01-01 UTC, as
the venues' are. Until the last of its group has closed, a longer bar does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.bars import step_ms
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries


class History:
    """Bars of several lengths over one past, read-only: what a strategy writes into them raises."""

    def __init__(self, recorded: BarSeries, intervals: Iterable[timedelta] = ()) -> None:
        """Hold `recorded` and build the bars of `intervals`.

        Raises InvalidValue for an interval that is no multiple of the recorded one.
        """
        self._base = _locked(recorded)
        self._bars = {recorded.interval: self._base}
        self._closed = {recorded.interval: np.arange(1, len(recorded) + 1, dtype=np.int64)}
        self.build(intervals)

    def build(self, intervals: Iterable[timedelta]) -> None:
        """Build the bars of those `intervals` that are not there yet. Raises as when it was made."""
        for interval in intervals:
            if interval not in self._bars:
                self._bars[interval] = made = _locked(longer(self._base, interval))
                self._closed[interval] = _closed_counts(self._base, made)

    @property
    def base(self) -> BarSeries:
        """Return the bars as recorded."""
        return self._base

    def bars(self, interval: timedelta) -> BarSeries:
        """Return all bars of `interval`, one of those this was made with."""
        return self._bars[interval]

    def closed(self, interval: timedelta) -> NDArray[np.int64]:
        """Return for each recorded bar how many bars of `interval` have closed when it closes."""
        return self._closed[interval]

    def window(self, interval: timedelta, rows: int, count: int) -> BarSeries:
        """Return the newest `count` bars of `interval` that are closed once `rows` recorded bars are."""
        closed = int(self._closed[interval][rows - 1]) if rows else 0
        return self._bars[interval].part(max(0, closed - count), closed)


def longer(recorded: BarSeries, interval: timedelta) -> BarSeries:
    """Return the bars of `interval` that `recorded` holds whole; one with a bar missing is left out.

    Raises InvalidValue for an interval that is no multiple of the recorded one.
    """
    step, length = step_ms(recorded.interval), step_ms(interval)
    if length < step or length % step:
        raise InvalidValue("interval", str(interval), f"{recorded.interval} as recorded, or a multiple of it")
    group = recorded.opened_ms // length
    starts = np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
    counts = np.diff(starts, append=len(group))
    # Stamps rise strictly on a grid, so as many bars as fit are all of them.
    first = starts[counts == length // step]
    if not len(first):
        return BarSeries(interval, recorded.opened_ms[:0], *(recorded.open[:0] for _ in range(5)))
    size = length // step
    return BarSeries(
        interval,
        recorded.opened_ms[first],
        recorded.open[first],
        _grouped(recorded.high, first, size).max(axis=1),
        _grouped(recorded.low, first, size).min(axis=1),
        recorded.close[first + size - 1],
        _grouped(recorded.volume, first, size).sum(axis=1),
    )


def _grouped(column: NDArray[np.float64], first: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = column[first[:, None] + np.arange(size)]
    return rows


def _closed_counts(recorded: BarSeries, made: BarSeries) -> NDArray[np.int64]:
    ends = made.opened_ms + step_ms(made.interval)
    now = recorded.opened_ms + step_ms(recorded.interval)
    return np.searchsorted(ends, now, side="right").astype(np.int64)


def _locked(bars: BarSeries) -> BarSeries:
    """Return the same bars behind columns that cannot be written to."""
    columns = [
        np.ascontiguousarray(column).view() for column in (bars.open, bars.high, bars.low, bars.close, bars.volume)
    ]
    stamps = np.ascontiguousarray(bars.opened_ms).view()
    for column in (stamps, *columns):
        column.flags.writeable = False
    return BarSeries(bars.interval, stamps, *columns)
