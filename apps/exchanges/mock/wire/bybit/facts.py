"""What a request said about an order that the engine has no word for, kept for the venue's rows."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The venue's side of an order: if it was a market order, its time in force, why it was made, and its stops."""

    market: bool = False
    tif: str = ""
    stop_type: str = ""
    tpsl_mode: str = ""
    create_type: str = "CreateByUser"
    smp_type: str = "None"
    take_profit: str = ""
    stop_loss: str = ""


UNSAID = OrderFacts()
LIQUIDATION = OrderFacts(market=True, tif="IOC", create_type="CreateByLiq")


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
