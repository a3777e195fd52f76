"""Which ticks a replay may leave out because the strategy has said that they change nothing.

A strategy that tells its signals as columns tells with them when it would begin something (`wakes`), and when a trade
is over by its own rules (`leaves`, `hold_ms`). In between only the market can end a trade, by touching its orders.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.replaying.timeline import Timeline
from apps.strategies.backtest.replaying.tracks import Track
from apps.strategies.base import Strategy
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.signals import Signals, wakes_of
from moondev.domain.instruments import Instrument

Steps = NDArray[np.int64]


class Naps:
    """When to ask the strategy next: at the next of the `asked` steps, or at a later one if it has said so."""

    def __init__(
        self,
        loaded: Loaded,
        instruments: Mapping[str, Instrument],
        leverage: float,
        tracks: Mapping[str, Track],
        timeline: Timeline,
        asked: Steps,
    ) -> None:
        """Ask the strategy what it can tell of the whole past of `tracks`."""
        past = {key: track.history for key, track in tracks.items()}
        strategy, parameters = loaded.strategy, loaded.parameters
        self._columns = strategy.signals(past, parameters, instruments, leverage) or {}
        self._tracks, self._timeline, self._asked = tracks, timeline, asked
        # Unless it has a way of its own, it wakes by its columns, which are not to be computed twice.
        own = not self._columns or type(strategy).wakes is not Strategy.wakes
        wakes = strategy.wakes(past, parameters, instruments, leverage) if own else wakes_of(self._columns)
        self._woken = asked if wakes is None else asked[timeline.woken(wakes)[asked]]
        self._left: dict[tuple[str, int, int], int] = {}

    def asked(self, step: int) -> int:
        """Return the first step from `step` on at whose close the strategy is due."""
        return self._first(self._asked, step)

    def idle(self, step: int) -> int:
        """Return when to ask a strategy that holds nothing and waits for nothing."""
        return self._first(self._woken, step)

    def holding(self, step: int) -> int:
        """Return when to ask a strategy whose every position is filled and guarded, if it holds any."""
        if not all(self._told(track) for track in self._tracks.values() if track.holding.quantity):
            return self.asked(step)
        ends = [self._end(key, track, step) for key, track in self._tracks.items() if track.holding.quantity]
        return min(ends) if len(ends) == len(self._tracks) else min(*ends, self.idle(step))

    def _told(self, track: Track) -> bool:
        """Return whether the columns know the trade: one that was adopted, say, they do not."""
        columns, row = self._columns.get(track.key), track.signal_row
        return columns is not None and row is not None and columns.weights[row] * track.direction > 0

    def _end(self, key: str, track: Track, step: int) -> int:
        """Return the step at whose close the trade is over by its own rules; the number of steps when none is."""
        trade = (key, track.signal_row or 0, track.direction)
        if trade not in self._left:
            self._left[trade] = self._ended(self._columns[key], *trade)
        # A trade that should have ended already is looked at as often as any other.
        return self.asked(max(self._left[trade], step))

    def _ended(self, columns: Signals, key: str, row: int, direction: int) -> int:
        steps, count = self._timeline.step_of[key], len(self._timeline)
        left = columns.leaves.first(row, direction, row + 1)
        ended = count if left is None else int(steps[left])
        held_ms = int(columns.hold_ms[row])
        if not held_ms:
            return ended
        # Over once the bar that opened so long after the bar of the signal has closed.
        over_ms = int(self._timeline.opened_ms[steps[row]]) + held_ms
        return min(ended, int(np.searchsorted(self._timeline.opened_ms, over_ms)))

    def _first(self, steps: Steps, step: int) -> int:
        at = int(np.searchsorted(steps, step))
        return int(steps[at]) if at < len(steps) else len(self._timeline)
