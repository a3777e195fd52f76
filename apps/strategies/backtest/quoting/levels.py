"""The book of a tape at any of its rows, moved forward in whole columns.

Every price of the tape has a rank, so that a side of the book is one dense array. A row that a later row of the same
level overtakes within one move need not be written: which row overtakes it is computed once for the whole tape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.quoting.tape import BUY, LEVEL, Tape, Whole

# Ranks looked at in one go for what stands there: books are dense near the touch.
_LOOK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What is known of every LEVEL row before anything is replayed.

    `rows` are the tape's rows in the order they are applied and `at` their times; `prices` all ticks that ever had a
    level, rising; `rank` the row's place among them; `before` what stood there until then, in lots; `overtaken` the
    place (in this order) of the next row of the same level.
    """

    rows: NDArray[np.intp]
    at_ns: Whole
    prices: Whole
    rank: NDArray[np.intp]
    bid: NDArray[np.bool_]
    lots: Whole
    before: Whole
    overtaken: NDArray[np.intp]

    @classmethod
    def of(cls, tape: Tape, order: NDArray[np.intp], at_ns: Whole) -> Levels:
        """Return the levels of `tape`, whose rows come in `order` and at `at_ns` (one time for each tape row)."""
        rows = order[tape.kinds[order] == LEVEL]
        ticks, bid, lots = tape.ticks[rows], tape.sides[rows] == BUY, tape.lots[rows]
        prices, rank = np.unique(ticks, return_inverse=True)
        same = np.lexsort((np.arange(len(rows)), rank * 2 + bid))
        code = (rank * 2 + bid)[same]
        follows = code[1:] == code[:-1]
        before, overtaken = np.zeros(len(rows), np.int64), np.full(len(rows), len(rows), np.intp)
        before[same[1:]] = np.where(follows, lots[same[:-1]], 0)
        overtaken[same[:-1]] = np.where(follows, same[1:], len(rows))
        return cls(rows, at_ns[rows], prices, rank, bid, lots, before, overtaken)


class Ladder:
    """One book, moved forward along the levels of its tape. Sizes in lots, prices in ticks."""

    __slots__ = ("_asks", "_bids", "_high", "_levels", "_low", "place")

    def __init__(self, levels: Levels) -> None:
        """Begin with nothing in the book."""
        self._levels = levels
        self._bids = np.zeros(len(levels.prices), np.int64)
        self._asks = np.zeros(len(levels.prices), np.int64)
        # No bid is above the rank `_high`, no ask below `_low`.
        self._high, self._low = -1, len(levels.prices)
        self.place = 0

    def move(self, at_ns: int) -> None:
        """Apply every row up to and including `at_ns`."""
        self.move_to(int(np.searchsorted(self._levels.at_ns, at_ns, side="right")))

    def move_to(self, place: int) -> None:
        """Apply the rows before `place`; a book does not run backwards."""
        if place <= self.place:
            return
        levels, span = self._levels, slice(self.place, place)
        last = levels.overtaken[span] >= place
        rank, lots, bid = levels.rank[span][last], levels.lots[span][last], levels.bid[span][last]
        self._bids[rank[bid]] = lots[bid]
        self._asks[rank[~bid]] = lots[~bid]
        there = lots > 0
        self._high = max(self._high, int(rank[bid & there].max(initial=-1)))
        self._low = min(self._low, int(rank[~bid & there].min(initial=len(levels.prices))))
        self.place = place

    def best_bid(self) -> int | None:
        """Return the highest bid in ticks; None when there is none."""
        best = next(self.bids(), None)
        return None if best is None else best[0]

    def best_ask(self) -> int | None:
        """Return the lowest ask in ticks; None when there is none."""
        best = next(self.asks(), None)
        return None if best is None else best[0]

    def bids(self) -> Iterator[tuple[int, int]]:
        """Yield the bids as (ticks, lots), best first."""
        first = True
        for stop in range(self._high + 1, 0, -_LOOK):
            start = max(0, stop - _LOOK)
            held = self._bids[start:stop].nonzero()[0][::-1] + start
            if first:
                self._high, first = (int(held[0]), False) if len(held) else (start - 1, True)
            yield from zip(self._levels.prices[held].tolist(), self._bids[held].tolist(), strict=True)

    def asks(self) -> Iterator[tuple[int, int]]:
        """Yield the asks as (ticks, lots), best first."""
        first = True
        for start in range(self._low, len(self._asks), _LOOK):
            held = self._asks[start : start + _LOOK].nonzero()[0] + start
            if first:
                self._low, first = (int(held[0]), False) if len(held) else (start + _LOOK, True)
            yield from zip(self._levels.prices[held].tolist(), self._asks[held].tolist(), strict=True)

    def standing(self, tick: int, *, is_buy: bool) -> int:
        """Return the lots at a price of one side."""
        rank = int(np.searchsorted(self._levels.prices, tick))
        if rank == len(self._levels.prices) or self._levels.prices[rank] != tick:
            return 0
        return int((self._bids if is_buy else self._asks)[rank])
