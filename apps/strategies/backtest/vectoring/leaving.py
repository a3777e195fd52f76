"""How a trade ends: by its bracket, at the close that its rules name, or by its time.

The same as the replay's matcher and the strategy of bracketed trades do between them, without a tick a bar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.strategies.backtest.brackets import EXIT, STOP, TARGET, Exit, first_touch, touch
from apps.strategies.backtest.vectoring.entering import Filled, When
from apps.strategies.backtest.vectoring.lane import Lane


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade that has been filled. `stop` and `target` are as the strategy sees them, NaN for none.

    `signalled` is the row of its signal; `rested` says that it was entered by a limit.
    """

    signalled: int
    sign: int
    quantity: float
    filled: Filled
    stop: float
    target: float
    rested: bool


@dataclass(frozen=True, slots=True)
class _Levels:
    """Stop and target as the venue has them, on its grid: each at least as near as the strategy's."""

    stop: float
    target: float


def left(lane: Lane, trade: Trade) -> Exit | None:
    """Return how `trade` ends; None while it is open at the end of the data.

    `free_from` of the answer is the first bar at whose close another may be called for.
    """
    levels = _Levels(_on_grid(lane, trade.stop, trade.sign), _on_grid(lane, trade.target, trade.sign))
    return _in_its_bar(lane, trade, levels) or _afterwards(lane, trade, levels)


def _in_its_bar(lane: Lane, trade: Trade, levels: _Levels) -> Exit | None:
    """Return the end within the bar of the fill, of which only the rest counts."""
    filled = trade.filled
    row, at_close = filled.row, filled.when is When.CLOSE
    price = {When.OPEN: lane.opens[row], When.INSIDE: filled.price, When.CLOSE: lane.closes[row]}[filled.when]
    newest = lane.newest_seen(row, at_close=at_close)
    if newest > trade.signalled and _over_when_filled(lane, trade, newest):
        return Exit(row, price, False, at_close, EXIT, newest + 1)
    ended = _at_price(price, trade, levels) or (None if at_close else _in_the_rest(lane, price, trade, levels))
    if ended is None:
        return None
    price, made, reason = ended
    return Exit(row, price, made, at_close, reason, lane.free_after(row, at_close=at_close))


def _over_when_filled(lane: Lane, trade: Trade, newest: int) -> bool:
    """Return whether the bars from the signal to `newest`, which closed before a late fill, end the trade at once."""
    signals, sign, rows = lane.signals, trade.sign, slice(trade.signalled + 1, newest + 1)
    against, favour = (lane.bars.low, lane.bars.high) if sign > 0 else (lane.bars.high, lane.bars.low)
    if bool(((against[rows] - trade.stop) * sign <= 0).any()):
        return True
    if not trade.rested and bool(((favour[rows] - trade.target) * sign >= 0).any()):
        return True
    held_ms = int(lane.closed_ms[newest] - lane.closed_ms[trade.signalled])
    if 0 < int(signals.hold_ms[trade.signalled]) <= held_ms:
        return True
    return signals.leaves.first(trade.signalled, sign, newest) == newest


def _at_price(price: float, trade: Trade, levels: _Levels) -> tuple[float, bool, str] | None:
    """Return price, maker and reason of an end at the very moment of the fill, the market being at `price`."""
    if (price - trade.stop) * trade.sign <= 0:
        # Beyond its own stop before it is protected: the planner takes it for flat and leaves at the market.
        return price, False, EXIT
    if (price - levels.stop) * trade.sign <= 0:
        return price, False, STOP
    return (levels.target, True, TARGET) if (price - levels.target) * trade.sign >= 0 else None


def _in_the_rest(lane: Lane, price: float, trade: Trade, levels: _Levels) -> tuple[float, bool, str] | None:
    """Return the same of an end in what is left of the bar after `price`."""
    row, sign = trade.filled.row, trade.sign
    against, favour = (lane.lows[row], lane.highs[row]) if sign > 0 else (lane.highs[row], lane.lows[row])
    if trade.filled.when is When.INSIDE:
        # The market came against the trade to fill it: what it reached in favour may have come before.
        favour = max(price * sign, lane.closes[row] * sign) * sign
    if (against - levels.stop) * sign <= 0:
        return levels.stop, False, STOP
    return (levels.target, True, TARGET) if (favour - levels.target) * sign >= 0 else None


def _afterwards(lane: Lane, trade: Trade, levels: _Levels) -> Exit | None:
    """Return the end in a later bar: whichever comes first, a touch of the bracket or a decision to leave."""
    sign, start = trade.sign, trade.filled.row + 1
    bracket = (levels.stop, levels.target) if sign > 0 else (levels.target, levels.stop)
    decided = _decided(lane, trade)
    seen = _seen_at_target(lane, trade, levels)
    asked_anew = False
    while True:
        touched = first_touch(lane.bars, start, min(decided + 1, len(lane)), bracket)
        decided = min(decided, seen(decided if touched is None else touched))
        if touched is not None and touched <= decided:
            end = touch(lane.bars, touched, levels.stop, levels.target, sign)
            # A trade that was being left anyway does not block the bar in which its stop came first.
            free_from = touched if asked_anew else lane.free_after(touched, at_close=False)
            return Exit(end.row, end.price, end.made, False, end.reason, free_from)
        if decided >= len(lane):
            return None
        free_from = decided if asked_anew else decided + 1
        end_at_market = _at_market(lane, trade, decided, free_from)
        if end_at_market is not None or decided + 1 >= len(lane):
            return end_at_market
        lane.miss()
        # The market ran away from the order; the bracket still stands, and the next tick asks anew.
        start, decided, asked_anew = decided + 1, lane.tick(decided + 1), True


def _at_market(lane: Lane, trade: Trade, decided: int, free_from: int) -> Exit | None:
    row, sign = decided + (not lane.at_close), -trade.sign
    if row >= len(lane):
        return None
    price = lane.closes[row] if lane.at_close else lane.opens[row]
    paid = lane.taken(price, sign * trade.quantity, row)
    if not lane.within_cap(paid, lane.closes[decided], sign):
        return None
    return Exit(row, price, False, lane.at_close, EXIT, free_from)


def _decided(lane: Lane, trade: Trade) -> int:
    """Return the row at whose close the strategy leaves by itself; the end of the data when it does not."""
    since = trade.filled.row + (trade.filled.when is When.CLOSE)
    signals, none = lane.signals, len(lane)
    leaves = signals.leaves.first(trade.signalled, trade.sign, since)
    found = none if leaves is None else leaves
    hold_ms = int(signals.hold_ms[trade.signalled])
    if hold_ms:
        over = lane.row_closed_at(int(lane.closed_ms[trade.signalled]) + hold_ms)
        found = min(found, lane.look(max(over, since)))
    return found


def _seen_at_target(lane: Lane, trade: Trade, levels: _Levels) -> Callable[[int], int]:
    """Return what tells, up to some row, at which close the strategy sees its target reached; the end for none.

    It matters where the venue's target, on the grid, lies further off. For an entry that rested the bar after the
    newest that had closed when it filled does not count: its best price may have come before.
    """
    none, sign = len(lane), trade.sign
    newest = lane.newest_seen(trade.filled.row, at_close=trade.filled.when is When.CLOSE)
    next_but_one_ms = int(lane.closed_ms[newest]) + lane.signals.bar_ms
    start = lane.row_opened_at(next_but_one_ms) if trade.rested else newest + 1
    goal = (-np.inf, trade.target) if sign > 0 else (trade.target, np.inf)

    def seen(last: int) -> int:
        if np.isnan(trade.target) or levels.target == trade.target:
            return none
        reached = first_touch(lane.bars, start, min(last + 1, none), goal)
        return none if reached is None else lane.look(max(reached, trade.filled.row))

    return seen


def _on_grid(lane: Lane, level: float, sign: int) -> float:
    return level if np.isnan(level) else lane.passive(level, -sign)
