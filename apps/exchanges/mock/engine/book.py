"""One coin's limit order book: best price first, first come first served within a price."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from apps.exchanges.mock.engine.orders import Order


class Level:
    """All orders at one price, oldest first, and their total size."""

    __slots__ = ("orders", "px", "size")

    def __init__(self, px: int) -> None:
        self.px = px
        self.size = 0
        # OrderedDict, not dict: taking the first entry again and again stays O(1).
        self.orders: OrderedDict[int, Order] = OrderedDict()


class BookSide:
    """Bids (`sign` +1) or asks (`sign` -1). Prices are kept so that the best one is the last."""

    __slots__ = ("_keys", "_levels", "_sign")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[int] = []
        self._levels: dict[int, Level] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Level]:
        """Yield the levels, best first."""
        return (self._levels[key * self._sign] for key in reversed(self._keys))

    def top(self, depth: int | None) -> list[Level]:
        """Return the best `depth` levels; None means all."""
        return list(islice(self, depth))

    def level(self, px: int) -> Level | None:
        """Return the level at `px`, None when nobody quotes there."""
        return self._levels.get(px)

    def best_px(self) -> int | None:
        """Return the best price, None when the side is empty."""
        return self._keys[-1] * self._sign if self._keys else None

    def first(self) -> Order | None:
        """Return the order that is next to trade, None when the side is empty."""
        if not self._keys:
            return None
        level = self._levels[self._keys[-1] * self._sign]
        return next(iter(level.orders.values()))

    def add(self, order: Order) -> None:
        """Queue `order` behind everything at its price."""
        level = self._levels.get(order.px)
        if level is None:
            level = self._levels[order.px] = Level(order.px)
            insort(self._keys, order.px * self._sign)
        level.orders[order.oid] = order
        level.size += order.remaining

    def remove(self, order: Order) -> None:
        """Take `order` out with what remains of it."""
        level = self._levels[order.px]
        del level.orders[order.oid]
        level.size -= order.remaining
        if not level.orders:
            del self._levels[order.px]
            key = order.px * self._sign
            del self._keys[bisect_left(self._keys, key)]

    def reduce(self, order: Order, by: int) -> None:
        """Note that `by` less of `order` remains; it keeps its place in the queue."""
        self._levels[order.px].size -= by


class Book:
    """Both sides of one coin."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(+1)
        self.asks = BookSide(-1)

    def own_side(self, order: Order) -> BookSide:
        """Return the side `order` rests on."""
        return self.bids if order.is_buy else self.asks

    def other_side(self, order: Order) -> BookSide:
        """Return the side `order` trades against."""
        return self.asks if order.is_buy else self.bids

    def would_cross(self, order: Order) -> bool:
        """Return whether `order` could trade at once."""
        best = self.other_side(order).best_px()
        return best is not None and order.crosses(best)

    def middle(self) -> tuple[int, int] | None:
        """Return best bid and best ask, None while a side is empty."""
        bid, ask = self.bids.best_px(), self.asks.best_px()
        return None if bid is None or ask is None else (bid, ask)
