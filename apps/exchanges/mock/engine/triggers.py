"""Trigger orders of one coin, waiting for the mark price, nearest trigger price first."""

from __future__ import annotations

from bisect import bisect_left, insort

from apps.exchanges.mock.engine.orders import Order


class _Waiting:
    """Orders that fire when the mark moves in one direction (`sign` +1 upwards, -1 downwards)."""

    __slots__ = ("_keys", "_orders", "_sign")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[tuple[int, int]] = []
        self._orders: dict[int, Order] = {}

    def _key(self, order: Order) -> tuple[int, int]:
        return (order.trigger_px * self._sign, order.oid)

    def add(self, order: Order) -> None:
        insort(self._keys, self._key(order))
        self._orders[order.oid] = order

    def remove(self, order: Order) -> None:
        del self._orders[order.oid]
        del self._keys[bisect_left(self._keys, self._key(order))]

    def due(self, mark: int) -> list[Order]:
        """Return the orders a mark of `mark` fires, in the order their prices were passed."""
        end = bisect_left(self._keys, (mark * self._sign + 1, 0))
        return [self._orders[oid] for _, oid in self._keys[:end]]


class TriggerBook:
    """All waiting trigger orders of one coin."""

    __slots__ = ("_falling", "_rising")

    def __init__(self) -> None:
        self._rising = _Waiting(+1)
        self._falling = _Waiting(-1)

    def _side(self, order: Order) -> _Waiting:
        return self._rising if order.triggers_upward else self._falling

    def add(self, order: Order) -> None:
        """Let `order` wait."""
        self._side(order).add(order)

    def remove(self, order: Order) -> None:
        """Take `order` out."""
        self._side(order).remove(order)

    def due(self, mark: int) -> list[Order]:
        """Return the orders that a mark price of `mark` fires."""
        return self._rising.due(mark) + self._falling.due(mark)
