"""Orders that live until a stated time: good-til-time."""

from __future__ import annotations

import heapq

from apps.exchanges.mock.engine.orders import Order


class Deadlines:
    """Remembers until when orders may live, nearest first."""

    __slots__ = ("_heap", "_orders")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._orders: dict[int, Order] = {}

    def note(self, order: Order) -> None:
        """Remember `order`, which is being kept; one without an end costs nothing."""
        if order.expires_ms is not None:
            heapq.heappush(self._heap, (order.expires_ms, order.oid))
            self._orders[order.oid] = order

    def due(self, now_ms: int) -> list[Order]:
        """Return, once, the orders that end at `now_ms` or before; some may have ended otherwise."""
        orders: list[Order] = []
        while self._heap and self._heap[0][0] <= now_ms:
            order = self._orders.pop(heapq.heappop(self._heap)[1], None)
            orders += [] if order is None else [order]
        return orders
