"""How an entry is filled: at the market, or by a limit that rests for a while.

The same as the replay's matcher does with the planner's orders, written for one order at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

import numpy as np

from apps.strategies.backtest.brackets import first_touch
from apps.strategies.backtest.vectoring.lane import Lane


class When(Enum):
    """In which part of its bar something filled; after it only the rest of the bar is left."""

    OPEN = auto()
    INSIDE = auto()
    CLOSE = auto()


class Filled(NamedTuple):
    """A fill of an entry: its bar, the market's price, what was paid, whether it made the price, and when."""

    row: int
    price: float
    paid: float
    made: bool
    when: When


@dataclass(frozen=True, slots=True)
class Order:
    """An entry of `sign` at `level` or better, sent at the close of `row`.

    `rested` once it has stood in the book through the end of a bar.
    """

    row: int
    sign: int
    level: float
    quantity: float
    expires_ms: int
    rested: bool = False


def filled_at_market(lane: Lane, order: Order, stop: float) -> Filled | None:
    """Return the fill of an entry at the market; None when the market runs away from it until it is given up.

    It trades at no worse than the slippage cap allows, counted from each close at which it is asked for anew; it is
    not asked for while the market is beyond the trade's own `stop`.
    """
    row, sign = order.row, order.sign
    while row < len(lane) and lane.closed_ms[row] < order.expires_ms:
        at = row if lane.at_close else row + 1
        if at >= len(lane) or (at > row and lane.opened_ms[at] >= order.expires_ms):
            return None
        price = lane.closes[at] if lane.at_close else lane.opens[at]
        paid = lane.taken(price, sign * order.quantity, at)
        passed = (lane.closes[row] - stop) * sign <= 0
        if not passed and lane.within_cap(paid, lane.closes[row], sign):
            return Filled(at, price, paid, False, When.CLOSE if lane.at_close else When.OPEN)
        lane.miss()
        row = lane.tick(row + 1)
    return None


def filled_in_turning(lane: Lane, order: Order) -> Filled | None:
    """Return the fill of an entry that follows upon the exit decided at the same close; None when too dear.

    The exit's own fill makes a tick, so the cap on slippage counts from the price at which that found the market.
    """
    at = order.row if lane.at_close else order.row + 1
    price = lane.closes[at] if lane.at_close else lane.opens[at]
    paid = lane.taken(price, order.sign * order.quantity, at)
    if not lane.within_cap(paid, price, order.sign):
        return None
    return Filled(at, price, paid, False, When.CLOSE if lane.at_close else When.OPEN)


def filled_at_limit(lane: Lane, order: Order) -> Filled | None:
    """Return the fill of a resting entry; None when no bar reached it before it was withdrawn."""
    start, rested, sign = order.row + 1, order.rested, order.sign
    if lane.at_close and not rested:
        filled = _arrived(lane, order.row, lane.closes[order.row], order, When.CLOSE)
        if filled is not None:
            return filled
        rested = True
    end = min(lane.row_opened_at(order.expires_ms), len(lane))
    levels = (order.level, np.inf) if sign > 0 else (-np.inf, order.level)
    touched = first_touch(lane.bars, start, end, levels)
    if touched is None:
        return None
    opened = lane.opens[touched]
    if touched == start and not rested:
        at_open = _arrived(lane, touched, opened, order, When.OPEN)
        if at_open is not None:
            return at_open
    elif (opened - order.level) * sign <= 0:
        return Filled(touched, opened, opened, True, When.OPEN)
    return Filled(touched, order.level, order.level, True, When.INSIDE)


def _arrived(lane: Lane, row: int, price: float, order: Order, when: When) -> Filled | None:
    """Return what becomes of a limit that comes to a market at `price`: taken, filled where it stands, or None."""
    sign = order.sign
    touch = price * (1 + sign * lane.half_spread)
    if (order.level - touch) * sign >= 0:
        paid = lane.taken(price, sign * order.quantity, row)
        if (paid - order.level) * sign > 0:
            price, paid = price * order.level / paid, order.level
        return Filled(row, price, paid, False, when)
    if (price - order.level) * sign <= 0:
        return Filled(row, order.level, order.level, True, when)
    return None
