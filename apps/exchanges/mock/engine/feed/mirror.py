"""Shows a recorded book in ours: the house quotes what was recorded at each price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.orders import Order


@dataclass(slots=True, eq=False)
class Mirror:
    """Keeps the house's orders equal to recorded sizes, in price and size units.

    Size that is added queues behind everything; size that leaves is taken from the newest orders,
    so nobody moves up in a queue unless the record says that it traded.
    """

    house: House
    market: Market
    _bids: dict[int, list[Order]] = field(default_factory=dict)
    _asks: dict[int, list[Order]] = field(default_factory=dict)

    def show(self, bids: Mapping[int, int], asks: Mapping[int, int]) -> None:
        """Quote exactly `bids` and `asks` (size by price)."""
        # What shrinks goes first on both sides, so that the house never meets its own orders.
        self._shrink(self._bids, bids)
        self._shrink(self._asks, asks)
        self._grow(self._bids, bids, is_buy=True)
        self._grow(self._asks, asks, is_buy=False)

    def _shrink(self, own: dict[int, list[Order]], wanted: Mapping[int, int]) -> None:
        for px in list(own):
            orders = [order for order in own[px] if order.remaining]
            surplus = sum(order.remaining for order in orders) - wanted.get(px, 0)
            while orders and surplus > 0:
                newest = orders[-1]
                if newest.remaining > surplus:
                    self.house.cut(newest, newest.remaining - surplus)
                    break
                surplus -= newest.remaining
                self.house.withdraw(orders.pop())
            if orders:
                own[px] = orders
            else:
                del own[px]

    def _grow(self, own: dict[int, list[Order]], wanted: Mapping[int, int], *, is_buy: bool) -> None:
        for px, size in wanted.items():
            missing = size - sum(order.remaining for order in own.get(px, ()))
            if missing <= 0:
                continue
            order = self.house.quote(self.market, px, missing, is_buy=is_buy)
            if order is not None:
                own.setdefault(px, []).append(order)
