"""When anything can happen: the open times of all markets in one row, and at which closes a strategy is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.history import History
from apps.strategies.signals import Rows
from moondev.domain.clock import milliseconds
from moondev.domain.market_data import Needs


class Timeline:
    """Steps of one bar each. A market without a bar at a step stands still there."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        """Merge the bars of all `histories`."""
        stamps = {key: history.base.opened_ms for key, history in histories.items()}
        self.opened_ms = _merged(list(stamps.values()))
        self.step_ms = step_ms(next(iter(histories.values())).base.interval)
        # Per market: the step of each of its bars; at each step how many of its bars came before, and with that step.
        self.step_of = {key: np.searchsorted(self.opened_ms, opened) for key, opened in stamps.items()}
        self.rows_before = {key: np.searchsorted(opened, self.opened_ms) for key, opened in stamps.items()}
        self.rows_by = {key: np.searchsorted(opened, self.opened_ms, side="right") for key, opened in stamps.items()}

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.opened_ms)

    def asked(self, histories: Mapping[str, History], needs: Needs, trades_from: datetime | None) -> NDArray[np.int64]:
        """Return the steps at whose close the strategy ticks: where the shortest bars it looks at close."""
        marked = np.zeros(len(self), dtype=bool)
        for key, history in histories.items():
            interval = min(needs.bars, default=history.base.interval)
            marked[self.step_of[key]] |= np.diff(history.closed(interval), prepend=0) > 0
        if trades_from is not None:
            marked &= self.opened_ms + self.step_ms >= milliseconds(trades_from)
        return np.flatnonzero(marked)

    def woken(self, wakes: Mapping[str, Rows]) -> Rows:
        """Return for each step whether the bar of any market wakes the strategy at its close."""
        marked = np.zeros(len(self), dtype=bool)
        for key, rows in wakes.items():
            marked[self.step_of[key]] |= rows
        return marked


def _merged(columns: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return every stamp of rising `columns` once, rising.

    A stable sort finds the runs that rise already; numpy's unique hashes, which takes a second for a million stamps.
    """
    stamps = np.sort(np.concatenate(columns), kind="stable")
    return np.asarray(stamps[np.diff(stamps, prepend=stamps[:1] - 1) != 0], dtype=np.int64)


def intervals_of(needs: Needs, recorded: timedelta) -> tuple[timedelta, ...]:
    """Return the lengths of bars to build besides those recorded."""
    return tuple(interval for interval in needs.bars if interval != recorded)
