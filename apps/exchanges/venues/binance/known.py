"""What one process remembers of the orders it sent: enough to ask at the right door first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from uuid import UUID

REMEMBERED = 20_000


class KnownOrders:
    """Whether orders wait for a trigger, and in which symbols we have had orders. Thread-safe."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        """Remember the last `capacity` orders."""
        self._conditional: OrderedDict[UUID, bool] = OrderedDict()
        self._symbols: set[str] = set()
        self._capacity = capacity
        self._lock = Lock()

    def note(self, name: UUID, symbol: str, *, conditional: bool) -> None:
        """Remember an order that is about to be sent."""
        with self._lock:
            self._symbols.add(symbol)
            self._conditional[name] = conditional
            if len(self._conditional) > self._capacity:
                self._conditional.popitem(last=False)

    def seen(self, symbols: Iterable[str]) -> None:
        """Remember symbols in which the account has orders or a position."""
        with self._lock:
            self._symbols.update(symbols)

    def is_conditional(self, name: UUID | None) -> bool | None:
        """Return whether an order waits for a trigger, or did when it was sent; None when another process sent it."""
        with self._lock:
            return None if name is None else self._conditional.get(name)

    @property
    def symbols(self) -> frozenset[str]:
        """Return the symbols in which there were orders or positions."""
        with self._lock:
            return frozenset(self._symbols)
