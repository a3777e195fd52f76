"""The recorded orders that one of ours could trade with at once, lent to the engine for that moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.orders import Order
from apps.strategies.backtest.quoting.levels import Ladder, Levels
from apps.strategies.backtest.quoting.tape import BUY, Tape


class _Lent(NamedTuple):
    order: Order
    tick: int
    lots: int


class _Taken(NamedTuple):
    lots: int
    place: int


class Reach:
    """Lends levels and takes them back, remembering what our orders took until the record speaks of that level."""

    def __init__(self, tape: Tape, levels: Levels, ladder: Ladder, house: House, market: Market) -> None:
        """Lend from `ladder` to the engine behind `house`."""
        self._levels, self._ladder = levels, ladder
        self._house, self._market = house, market
        self.tick_units = int(tape.tick * market.grid.price_unit)
        self._lot_units = int(tape.lot * market.grid.size_unit)
        self._taken: dict[tuple[int, bool], _Taken] = {}

    def lend(self, side: int, limit: int, lots: int) -> list[_Lent]:
        """Quote what an order of `side` for `lots` could trade with, up to the tick `limit`."""
        lent: list[_Lent] = []
        wanted = lots
        for tick, standing in self._opposite(side):
            if wanted <= 0 or (tick > limit if side == BUY else tick < limit):
                break
            left = standing - self._gone(tick, is_bid=side != BUY)
            if left <= 0:
                continue
            order = self._house.quote(self._market, tick * self.tick_units, left * self._lot_units, is_buy=side != BUY)
            wanted -= left
            if order is not None:
                lent.append(_Lent(order, tick, left))
        return lent

    def take_back(self, lent: list[_Lent]) -> None:
        """End what is left of the quotes."""
        for order, tick, lots in lent:
            left = order.remaining // self._lot_units
            if left < lots:
                is_bid = order.is_buy
                gone = self._gone(tick, is_bid=is_bid) + lots - left
                self._taken[tick, is_bid] = _Taken(gone, self._ladder.place)
            if not order.status.final:
                self._house.withdraw(order)

    def _opposite(self, side: int) -> Iterator[tuple[int, int]]:
        return self._ladder.asks() if side == BUY else self._ladder.bids()

    def _gone(self, tick: int, *, is_bid: bool) -> int:
        """Return what we took at a level since the record last spoke of it."""
        taken = self._taken.get((tick, is_bid))
        if taken is None:
            return 0
        span = slice(taken.place, self._ladder.place)
        rank = int(np.searchsorted(self._levels.prices, tick))
        if bool(np.any((self._levels.rank[span] == rank) & (self._levels.bid[span] == is_bid))):
            del self._taken[tick, is_bid]
            return 0
        return taken.lots
