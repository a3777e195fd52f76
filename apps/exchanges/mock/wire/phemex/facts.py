"""What a request said about an order that the engine has no word for, kept for the venue's rows."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The venue's side of an order: its type, its time in force, what its trigger looks at, the stops it came with."""

    order_type: str = "Limit"
    tif: str = ""
    trigger: str = "UNSPECIFIED"
    take_profit: str = "0"
    stop_loss: str = "0"


UNSAID = OrderFacts()
LIQUIDATION = OrderFacts("Market", "ImmediateOrCancel")


class FactBook:
    """Facts by order number; the newest orders are remembered."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        """Remember `capacity` orders."""
        self._facts: OrderedDict[int, OrderFacts] = OrderedDict()
        self._capacity = capacity

    def note(self, oid: int, facts: OrderFacts) -> None:
        """Keep what was said of an order."""
        self._facts[oid] = facts
        if len(self._facts) > self._capacity:
            self._facts.popitem(last=False)

    def of(self, oid: int) -> OrderFacts:
        """Return what was said of an order."""
        return self._facts.get(oid, UNSAID)
