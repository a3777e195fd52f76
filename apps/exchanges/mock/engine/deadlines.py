"""Orders that live until a stated time: good-til-time."""

from __future__ import annotations

import heapq

from apps.exchanges.mock.engine.orders import Order

# Entries of orders that ended otherwise are swept out when they are more than those of the living, and this many.
_SWEEP_ABOVE = 1_000


class Deadlines:
    """Remembers until when orders may live, nearest first."""

    __slots__ = ("_heap", "_orders")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._orders: dict[int, Order] = {}

    def __len__(self) -> int:
        """Return how many entries are kept, those of orders that ended included."""
        return len(self._heap)

    def note(self, order: Order) -> None:
        """Remember `order`, which is being kept; one without an end costs nothing."""
        if order.expires_ms is not None and order.oid not in self._orders:
            heapq.heappush(self._heap, (order.expires_ms, order.oid))
            self._orders[order.oid] = order

    def forget(self, order: Order) -> None:
        """Drop `order`, which has ended."""
        if self._orders.pop(order.oid, None) is None or len(self._heap) < _SWEEP_ABOVE + 2 * len(self._orders):
            return
        self._heap = [entry for entry in self._heap if entry[1] in self._orders]
        heapq.heapify(self._heap)

    def due(self, now_ms: int) -> list[Order]:
        """Return, once, the orders that end at `now_ms` or before."""
        orders: list[Order] = []
        while self._heap and self._heap[0][0] <= now_ms:
            order = self._orders.pop(heapq.heappop(self._heap)[1], None)
            orders += [] if order is None else [order]
        return orders
