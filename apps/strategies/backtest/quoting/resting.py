"""Our orders that rest at the venue, and finding the rows of the tape that concern them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.quoting.queues import Queue
from apps.strategies.backtest.quoting.tape import BUY, LEVEL, SELL, TRADE, Tape, Whole

# Ticks that no price reaches.
_NEVER_LOW, _NEVER_HIGH = -1, np.iinfo(np.int64).max


@dataclass(slots=True, eq=False)
class Resting:
    """One order of ours in the venue's book, and where it stands in the queue at its price. In ticks and lots."""

    oid: int
    is_buy: bool
    tick: int
    remaining: int
    queue: Queue


class Watch:
    """The tape in four columns made for one question: which rows concern an order at this price?

    A buy at p is concerned by whoever sells or offers at p or below, and by every change of the bids at p.
    """

    def __init__(self, tape: Tape) -> None:
        """Prepare the columns."""
        level, buy = tape.kinds == LEVEL, tape.sides == BUY
        there = ~level | (tape.lots > 0)
        self._sold = np.where(~buy & there, tape.ticks, _NEVER_HIGH)
        self._bought = np.where(buy & there, tape.ticks, _NEVER_LOW)
        self._bid = np.where(level & buy, tape.ticks, _NEVER_LOW)
        self._ask = np.where(level & ~buy, tape.ticks, _NEVER_LOW)
        self._traded_low = np.where(tape.kinds == TRADE, tape.ticks, _NEVER_HIGH)
        self._traded_high = np.where(tape.kinds == TRADE, tape.ticks, _NEVER_LOW)

    def concerned(self, orders: Iterable[Resting], start: int, stop: int) -> NDArray[np.intp]:
        """Return the rows of [start, stop) that concern any of `orders`."""
        hit = np.zeros(stop - start, np.bool_)
        buys = {order.tick for order in orders if order.is_buy}
        sells = {order.tick for order in orders if not order.is_buy}
        if buys:
            hit |= self._sold[start:stop] <= max(buys)
        if sells:
            hit |= self._bought[start:stop] >= min(sells)
        for ticks, column in ((buys, self._bid), (sells, self._ask)):
            for tick in ticks:
                hit |= column[start:stop] == tick
        return np.flatnonzero(hit) + start

    def traded_beyond(self, low: int | None, high: int | None, start: int, stop: int) -> NDArray[np.intp]:
        """Return the trades of [start, stop) at `low` or below, or at `high` or above (None: no such bound)."""
        hit = np.zeros(stop - start, np.bool_)
        if low is not None:
            hit |= self._traded_low[start:stop] <= low
        if high is not None:
            hit |= self._traded_high[start:stop] >= high
        return np.flatnonzero(hit) + start


def before_each(tape: Tape, rows: NDArray[np.intp], before: Whole) -> Whole:
    """Return what stood at its level before each row of the tape, from the `before` of its LEVEL `rows`."""
    column = np.zeros(len(tape), np.int64)
    column[rows] = before
    return column


def best_first(orders: Iterable[Resting], side: int) -> list[Resting]:
    """Return the orders of one side in the order in which they trade: best price first, oldest first."""
    own = [order for order in orders if order.is_buy is (side == BUY)]
    return sorted(own, key=lambda order: (-order.tick if side == BUY else order.tick, order.oid))


def other(side: int) -> int:
    """Return the other side."""
    return SELL if side == BUY else BUY
