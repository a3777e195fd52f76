"""All trades of all markets in the order of their signals, each sized by what the purse is worth at its tick."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.brackets import ENTRY, EXIT, Exit
from apps.strategies.backtest.replaying.refusals import Refusals
from apps.strategies.backtest.replaying.report import of_limits
from apps.strategies.backtest.replaying.tape import Tape
from apps.strategies.backtest.vectoring.accounts import enter_into
from apps.strategies.backtest.vectoring.calls import Call, call_of, sized
from apps.strategies.backtest.vectoring.entering import (
    Filled,
    Order,
    When,
    filled_at_limit,
    filled_at_market,
    filled_in_turning,
)
from apps.strategies.backtest.vectoring.lane import Lane
from apps.strategies.backtest.vectoring.leaving import Trade, left
from apps.strategies.backtest.vectoring.purse import Exposure, Purse
from apps.strategies.signals import next_of

TOLD_EVERY = 100


@dataclass(slots=True)
class _Stand:
    """Where one market stands: its fills so far, the order withdrawn last, and whether its trade is turned round."""

    lane: Lane
    tape: Tape = field(default_factory=Tape)
    withdrawn: Order | None = None
    turning: bool = False


class Trading:
    """One pass over the signals. `run` makes it; the tapes then hold every fill."""

    def __init__(self, lanes: Mapping[str, Lane], steps: Mapping[str, NDArray[np.int64]], purse: Purse) -> None:
        """Trade `lanes`; `steps` are the steps of the purse for each of their bars."""
        self._stands = {key: _Stand(lane) for key, lane in sorted(lanes.items())}
        self._steps, self._purse = steps, purse
        self._queue: list[tuple[int, float, str, int]] = []
        self.refusals = Refusals()
        self._looked_at = self._too_small = 0

    @property
    def doubts(self) -> list[str]:
        """Return why nothing was traded, where nothing was; what the limits of risk made of the rest."""
        limits = of_limits(self.refusals, self._purse.sizes, self._purse.cut_sizes)
        if any(stand.tape.rows for stand in self._stands.values()):
            return limits
        signals = f"{self._looked_at} signals, {self._too_small} of them for less than the venue trades"
        return [f"nothing was traded: {signals}", *limits]

    @property
    def tapes(self) -> dict[str, Tape]:
        """Return the fills of each market."""
        return {key: stand.tape for key, stand in self._stands.items()}

    def run(self, on_progress: Callable[[float], None]) -> None:
        """Take the signals in turn, of one moment the strongest first. What `on_progress` raises ends it."""
        for stand in self._stands.values():
            self._await(stand, 0)
        count, tell_at = max((len(stand.lane) for stand in self._stands.values()), default=0), 0
        while self._queue:
            _, _, key, row = heapq.heappop(self._queue)
            if row >= tell_at:
                on_progress(row / count)
                tell_at = row + max(count // TOLD_EVERY, 1)
            stand = self._stands[key]
            self._purse.stand(int(self._steps[key][row]))
            self._await(stand, self._taken(stand, row))
        on_progress(1.0)

    def _await(self, stand: _Stand, since: int) -> None:
        """Queue the market's next signal from row `since` on."""
        lane = stand.lane
        row = next_of(lane.called, since)
        if row is not None:
            strength = float(lane.signals.strengths[row])
            heapq.heappush(self._queue, (int(lane.closed_ms[row]), -strength, lane.key, row))

    def _taken(self, stand: _Stand, row: int) -> int:
        """Trade the signal of `row` and return the first row whose signal may be the next."""
        lane, call = stand.lane, call_of(stand.lane, row)
        turning, stand.turning = stand.turning, False
        withdrawn, stand.withdrawn = stand.withdrawn, None
        self._looked_at += 1
        if call.too_small(lane, self._purse.allocation):
            self._too_small += 1
            return row + 1
        order, refused = sized(lane, call, self._purse, withdrawn)
        if refused:
            self.refusals.add(refused, call.moment, f"{lane.key}: the signal of this close")
            if self._purse.ended(refused, call.now_ms):
                self._queue.clear()
                return len(lane)
        filled = None if order is None else _filled(lane, call, order, turning=turning)
        if order is not None and filled is not None:
            return self._followed(stand, call, order, filled)
        if order is not None:
            stand.withdrawn = order
            self._expose(lane, order.quantity * call.price, call.expires_ms)
        # Nothing came of it: the strategy waits as long as the entry was good for.
        return lane.look(max(lane.row_closed_at(call.expires_ms), row + 1))

    def _followed(self, stand: _Stand, call: Call, order: Order, filled: Filled) -> int:
        """Return the first row whose signal may come next once the trade that was `filled` is over."""
        lane, signals = stand.lane, stand.lane.signals
        moved = filled.paid / call.price if signals.follows_fill else 1.0
        stop, target = float(signals.stops[call.row]) * moved, float(signals.targets[call.row]) * moved
        rested = not math.isnan(call.limit)
        trade = Trade(call.row, call.sign, order.quantity, filled, stop, target, rested)
        end = left(lane, trade)
        self._keep(stand, trade, end)
        if end is None:
            return len(lane)
        decided = end.free_from - 1
        if signals.turns and end.reason == EXIT and end.row == decided + (not lane.at_close):
            stand.turning = float(signals.weights[decided]) * call.sign < 0
        return decided if stand.turning else end.free_from

    def _keep(self, stand: _Stand, trade: Trade, end: Exit | None) -> None:
        """Write a trade down: its fills, what it does to the purse, and how long it counts as exposure."""
        lane, filled, change = stand.lane, trade.filled, trade.sign * trade.quantity
        at_close = filled.when is When.CLOSE
        stand.tape.add(filled.row, change, filled.price, made=filled.made, at_close=at_close, reason=ENTRY)
        if end is not None:
            stand.tape.add(end.row, -change, end.price, made=end.made, at_close=end.at_close, reason=end.reason)
        enter_into(self._purse, self._steps[lane.key], lane, trade, end)
        last = len(lane) - 1 if end is None else end.row
        # What leaves at a close is still held at the tick of that close.
        self._expose(lane, trade.quantity * filled.paid, int(lane.closed_ms[last]) + (end is None or end.at_close))

    def _expose(self, lane: Lane, worth: float, until_ms: int) -> None:
        self._purse.expose(Exposure(lane.key, lane.instrument.asset, worth, until_ms))


def _filled(lane: Lane, call: Call, order: Order, *, turning: bool) -> Filled | None:
    if not math.isnan(call.limit):
        return filled_at_limit(lane, order)
    if turning:
        return filled_in_turning(lane, order)
    stop = float(lane.signals.stops[call.row])
    return filled_at_market(lane, order, stop)
