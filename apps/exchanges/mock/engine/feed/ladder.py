"""The house maker's quotes on one coin: a touch on each side and levels that deepen behind it.

Orders stay in the book as long as their price is quoted, so they keep their place in the queue and
people queue behind and before them as on a real book.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.orders import Order

LEVELS = 20
# Each level further out carries this much more than the touch.
_GROWTH = 0.25
_NOISE = 0.4
_REFRESH_ABOVE = 1.5


@dataclass(slots=True, eq=False)
class Ladder:
    """Quotes `LEVELS` prices a side. `gap` and prices in price units, `depth` in size units."""

    house: House
    market: Market
    gap: int
    depth: float
    rng: Random
    _bids: dict[int, Order] = field(default_factory=dict)
    _asks: dict[int, Order] = field(default_factory=dict)
    _bid: int = 0
    _ask: int = 0

    def centre(self, bid: int, ask: int) -> None:
        """Move the touch to `bid` and `ask`; nothing happens while both are quoted already."""
        if bid == self._bid and ask == self._ask and self._quoted(bid, ask):
            return
        self._bid, self._ask = bid, ask
        bids, asks = self._below(bid), self._above(ask)
        # First out of the way on both sides, so that the maker never meets its own orders.
        self._withdraw(self._bids, set(bids))
        self._withdraw(self._asks, set(asks))
        self._fill_in(self._bids, bids, is_buy=True)
        self._fill_in(self._asks, asks, is_buy=False)

    def stir(self) -> None:
        """Change the size of one random level, as other makers come and go."""
        is_buy = self.rng.random() < 0.5
        own = self._bids if is_buy else self._asks
        if not own:
            return
        prices = self._below(self._bid) if is_buy else self._above(self._ask)
        rank = self.rng.randrange(len(prices))
        px = prices[rank]
        order, size = own.get(px), self._size(rank)
        if order is not None and order.remaining > size:
            self.house.cut(order, size)
        elif order is None or order.remaining * _REFRESH_ABOVE < size:
            if order is not None and order.remaining:
                self.house.withdraw(order)
            self._quote(own, px, size, is_buy=is_buy)

    def clear(self) -> None:
        """Withdraw everything."""
        self._withdraw(self._bids, set())
        self._withdraw(self._asks, set())
        self._bid = self._ask = 0

    def _quoted(self, bid: int, ask: int) -> bool:
        best_bid, best_ask = self._bids.get(bid), self._asks.get(ask)
        return bool(best_bid and best_bid.remaining and best_ask and best_ask.remaining)

    def _below(self, bid: int) -> list[int]:
        floor, gap = self.market.grid.floor, self.gap
        start = (bid - 1) // gap
        inner = [floor((start - number) * gap) for number in range(LEVELS - 1)]
        return [bid, *(px for px in inner if px > 0)]

    def _above(self, ask: int) -> list[int]:
        ceil, gap = self.market.grid.ceil, self.gap
        start = ask // gap + 1
        return [ask, *(ceil((start + number) * gap) for number in range(LEVELS - 1))]

    def _withdraw(self, own: dict[int, Order], keep: set[int]) -> None:
        for px in [px for px in own if px not in keep]:
            order = own.pop(px)
            if order.remaining:
                self.house.withdraw(order)

    def _fill_in(self, own: dict[int, Order], prices: list[int], *, is_buy: bool) -> None:
        for rank, px in enumerate(prices):
            order = own.get(px)
            if order is None or not order.remaining:
                self._quote(own, px, self._size(rank), is_buy=is_buy)

    def _quote(self, own: dict[int, Order], px: int, size: int, *, is_buy: bool) -> None:
        order = self.house.quote(self.market, px, size, is_buy=is_buy)
        if order is None:
            own.pop(px, None)
        else:
            own[px] = order

    def _size(self, rank: int) -> int:
        noise = self.rng.lognormvariate(0.0, _NOISE)
        return max(1, round(self.depth * (1 + _GROWTH * rank) * noise))
