"""What the fills of each order add up to, for venues that tell an average price and fees with the order."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.api import Fill

REMEMBERED = 100_000
_ZERO = Decimal(0)


@dataclass(slots=True)
class Sums:
    """Quantity, worth in quote currency, fees and realised profit so far."""

    size: Decimal = _ZERO
    value: Decimal = _ZERO
    fee: Decimal = _ZERO
    profit: Decimal = _ZERO

    def average(self, places: Decimal) -> Decimal:
        """Return the average price to `places`; zero before the first fill."""
        return (self.value / self.size).quantize(places) if self.size else _ZERO


class OrderSums:
    """Sums by order id; the newest orders are remembered."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        """Remember `capacity` orders."""
        self._sums: OrderedDict[int, Sums] = OrderedDict()
        self._capacity = capacity

    def add(self, fill: Fill) -> None:
        """Take one fill."""
        sums = self._sums.setdefault(fill.oid, Sums())
        sums.size += fill.size
        sums.value += fill.size * fill.price
        sums.fee += fill.fee
        sums.profit += fill.closed_pnl
        if len(self._sums) > self._capacity:
            self._sums.popitem(last=False)

    def of(self, oid: int) -> Sums:
        """Return the sums of an order; zeros when nothing was filled."""
        return self._sums.get(oid) or Sums()
