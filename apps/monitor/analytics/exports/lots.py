"""Tax lots: which purchase a sale is set against, and what was gained. Pure, and exact.

What is rounded off one part of a lot stays in its rest, so gains and what is open add up to the money that moved.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Protocol

from apps.monitor.analytics.exports.columns import PLACES, Method
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class Change:
    """A trade of an account in an asset: signed `quantity`, what it was worth, its fee, and what names it."""

    at: datetime
    quantity: Decimal
    notional: Decimal
    fee: Decimal
    reference: str


@dataclass(slots=True)
class Lot:
    """What one trade opened and nothing has closed yet: quantity, worth and fee are of the rest, all unsigned."""

    opened_at: datetime
    long: bool
    quantity: Decimal
    notional: Decimal
    fee: Decimal
    reference: str

    def take(self, quantity: Decimal) -> Lot:
        """Return a part of the lot, taken out of it; all of it when that is what is left."""
        if quantity == self.quantity:
            notional, fee = self.notional, self.fee
        else:
            notional = (self.notional * quantity / self.quantity).quantize(PLACES, ROUND_HALF_EVEN)
            fee = (self.fee * quantity / self.quantity).quantize(PLACES, ROUND_HALF_EVEN)
        self.quantity -= quantity
        self.notional -= notional
        self.fee -= fee
        return Lot(self.opened_at, self.long, quantity, notional, fee, self.reference)


@dataclass(frozen=True, slots=True)
class Closed:
    """A lot, or a part of one, that was closed. `gain` is before fees; a short's proceeds came first."""

    lot: Lot
    closed_at: datetime
    notional: Decimal
    fee: Decimal
    reference: str

    @property
    def proceeds(self) -> Decimal:
        """Return what the sale brought, be it the end of a long or the beginning of a short."""
        return self.notional if self.lot.long else self.lot.notional

    @property
    def cost_basis(self) -> Decimal:
        """Return what the purchase cost."""
        return self.lot.notional if self.lot.long else self.notional

    @property
    def gain(self) -> Decimal:
        """Return proceeds less cost basis, before fees."""
        return self.proceeds - self.cost_basis

    @property
    def fees(self) -> Decimal:
        """Return the fees of both ends."""
        return self.lot.fee + self.fee


class Shelf(Protocol):
    """Where open lots lie, all on one side of the market, and which comes off first."""

    def put(self, lot: Lot) -> None:
        """Take a lot."""

    def next(self) -> Lot | None:
        """Return the lot to be closed first, or None; it stays."""

    def drop(self) -> None:
        """Take that lot away: nothing is left of it."""

    def lots(self) -> list[Lot]:
        """Return all lots, oldest first."""


class InTurn:
    """First in, first out."""

    def __init__(self) -> None:
        self._lots: deque[Lot] = deque()

    def put(self, lot: Lot) -> None:
        """Take a lot."""
        self._lots.append(lot)

    def next(self) -> Lot | None:
        """Return the oldest."""
        return self._lots[0] if self._lots else None

    def drop(self) -> None:
        """Take the oldest away."""
        self._lots.popleft()

    def lots(self) -> list[Lot]:
        """Return all lots, oldest first."""
        return list(self._lots)


class LastFirst(InTurn):
    """Last in, first out."""

    def next(self) -> Lot | None:
        """Return the youngest."""
        return self._lots[-1] if self._lots else None

    def drop(self) -> None:
        """Take the youngest away."""
        self._lots.pop()


class DearestFirst:
    """The lot that gains least: the dearest purchase, or a short's cheapest sale. Of equal ones the older."""

    def __init__(self) -> None:
        self._heap: list[tuple[Decimal, int, Lot]] = []
        self._count = 0

    def put(self, lot: Lot) -> None:
        """Take a lot."""
        price = lot.notional / lot.quantity
        self._count += 1
        heapq.heappush(self._heap, (-price if lot.long else price, self._count, lot))

    def next(self) -> Lot | None:
        """Return the dearest."""
        return self._heap[0][2] if self._heap else None

    def drop(self) -> None:
        """Take the dearest away."""
        heapq.heappop(self._heap)

    def lots(self) -> list[Lot]:
        """Return all lots, oldest first."""
        return [lot for _, _, lot in sorted(self._heap, key=lambda item: item[1])]


class Pooled(InTurn):
    """First in, first out, each unit at the average cost of all that is held when it goes.

    The oldest lot is given its share of the pool when it is asked for; what of that share was taken leaves the pool
    when somebody asks again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pool = Lot(datetime.min, True, ZERO, ZERO, ZERO, "")  # noqa: DTZ901  a sum has no time, no side
        self._given: tuple[Lot, Decimal, Decimal, Decimal] | None = None

    def put(self, lot: Lot) -> None:
        """Take a lot into the pool."""
        self._settle()
        self._pool.quantity += lot.quantity
        self._pool.notional += lot.notional
        self._pool.fee += lot.fee
        super().put(lot)

    def next(self) -> Lot | None:
        """Return the oldest, with its share of the pool."""
        self._settle()
        first = super().next()
        if first is not None:
            first.notional, first.fee = self._share(first.quantity)
            self._given = (first, first.quantity, first.notional, first.fee)
        return first

    def lots(self) -> list[Lot]:
        """Return all lots, oldest first, each with its share; the last has what rounding leaves."""
        self._settle()
        pool, rest = replace(self._pool), list(self._lots)
        for lot in rest:
            part = pool.take(lot.quantity)
            lot.notional, lot.fee = part.notional, part.fee
        return rest

    def _share(self, quantity: Decimal) -> tuple[Decimal, Decimal]:
        part = replace(self._pool).take(quantity)
        return part.notional, part.fee

    def _settle(self) -> None:
        if self._given is None:
            return
        lot, quantity, notional, fee = self._given
        self._pool.quantity -= quantity - lot.quantity
        self._pool.notional -= notional - lot.notional
        self._pool.fee -= fee - lot.fee
        self._given = None


SHELVES: Mapping[Method, type[InTurn | DearestFirst]] = MappingProxyType({
    Method.FIFO: InTurn,
    Method.LIFO: LastFirst,
    Method.HIFO: DearestFirst,
    Method.AVERAGE: Pooled,
})  # fmt: skip


class LotBook:
    """The lots of one asset on one account. A trade through zero closes every lot and opens one on the other side."""

    def __init__(self, method: Method) -> None:
        self._shelf: Shelf = SHELVES[method]()

    def book(self, change: Change) -> Iterator[Closed]:
        """Yield what a trade closes, and keep what it opens."""
        rest = Lot(change.at, change.quantity > 0, abs(change.quantity), change.notional, change.fee, change.reference)
        while rest.quantity and (lot := self._shelf.next()) is not None and lot.long != rest.long:
            quantity = min(rest.quantity, lot.quantity)
            part, end = lot.take(quantity), rest.take(quantity)
            if not lot.quantity:
                self._shelf.drop()
            yield Closed(part, change.at, end.notional, end.fee, change.reference)
        if rest.quantity > ZERO:
            self._shelf.put(rest)

    def open_lots(self) -> list[Lot]:
        """Return what is open, oldest first."""
        return self._shelf.lots()
