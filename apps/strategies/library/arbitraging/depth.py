"""What can be had from two books: average prices, the executable edge, and how far it reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from moondev.domain.market_data import BookLevel

BPS_IN_ONE = 10_000.0
Levels = Sequence[BookLevel]


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading takes, as shares: the taker fee where we buy and where we sell, and a buffer on the price paid."""

    buy_fee: float
    sell_fee: float
    buffer: float = 0.0

    def edge(self, bid: float, ask: float) -> float:
        """Return what is left per unit bought at `ask` here and sold at `bid` there."""
        return bid * (1 - self.sell_fee) - ask * (1 + self.buy_fee) - ask * self.buffer


class Reach(NamedTuple):
    """How much two books give at an edge that is worth it, and the average prices of that."""

    quantity: float
    ask: float
    bid: float


def average_price(levels: Levels, quantity: float) -> float | None:
    """Return what `quantity` trades at on average (VWAP over depth); None when the book is not that deep."""
    left, paid = quantity, 0.0
    for level in levels:
        taken = min(left, level.size)
        paid += taken * level.price
        left -= taken
        if left <= 0:
            return paid / quantity if quantity > 0 else level.price
    return None


def executable_edge(asks: Levels, bids: Levels, quantity: float, costs: Costs) -> float | None:
    """Return the edge per unit of buying `quantity` from `asks` and selling it into `bids`; None without the depth.

    bidVWAP x (1 - fee) - askVWAP x (1 + fee) - buffer; a zero quantity asks about the best prices.
    """
    ask, bid = average_price(asks, quantity), average_price(bids, quantity)
    return None if ask is None or bid is None else costs.edge(bid, ask)


def reach(asks: Levels, bids: Levels, costs: Costs, least: float, most: float) -> Reach:
    """Return how much can be bought and sold while each unit by itself earns more than `least`, up to `most`.

    `least` is a share of the price paid. The average edge of the result is then above `least` as well.
    """
    quantity = paid = got = 0.0
    buy, sell = _Cursor(asks), _Cursor(bids)
    while quantity < most and not (buy.empty or sell.empty):
        ask, bid = buy.price, sell.price
        if not costs.edge(bid, ask) > ask * least:
            break
        taken = min(buy.left, sell.left, most - quantity)
        quantity, paid, got = quantity + taken, paid + taken * ask, got + taken * bid
        buy.take(taken)
        sell.take(taken)
    return Reach(quantity, paid / quantity, got / quantity) if quantity > 0 else Reach(0.0, math.nan, math.nan)


class _Cursor:
    """Walks down one side of a book."""

    def __init__(self, levels: Levels) -> None:
        self._levels = [level for level in levels if level.size > 0]
        self._at = 0
        self.left = self._levels[0].size if self._levels else 0.0

    @property
    def empty(self) -> bool:
        return self._at >= len(self._levels)

    @property
    def price(self) -> float:
        return self._levels[self._at].price

    def take(self, quantity: float) -> None:
        self.left -= quantity
        if self.left <= 0:
            self._at += 1
            self.left = 0.0 if self.empty else self._levels[self._at].size
