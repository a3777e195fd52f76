"""What the chain knows of an order that the engine has no word for, and under which name the indexer finds it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.wire.dydx.words import SHORT_TERM

REMEMBERED = 100_000


@dataclass(slots=True)
class OrderFacts:
    """One order as it was signed. `good_til` is a block for short-term orders, else a second since 1970.

    `oid` is the engine's number of it; `removal` why the chain took it out of the market. `lapsed` tells that its last
    block is over: from then on nothing of it can fill any more.
    """

    id: str
    account: str
    coin: str
    client_id: int
    flags: int
    pair: int
    is_buy: bool
    size: Decimal
    price: Decimal
    tif: int
    reduce_only: bool
    metadata: int
    good_til: int
    condition: int = 0
    trigger_price: Decimal | None = None
    oid: int = 0
    height: int = 0
    removal: str = ""
    lapsed: bool = False

    @property
    def short_term(self) -> bool:
        """Return whether the order lives in the validators' memory only."""
        return self.flags == SHORT_TERM


class FactBook:
    """Facts by the indexer's name and by the engine's number; the newest orders are remembered."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        """Remember `capacity` orders."""
        self._by_id: OrderedDict[str, OrderFacts] = OrderedDict()
        self._by_oid: dict[int, OrderFacts] = {}
        self._capacity = capacity

    def note(self, facts: OrderFacts) -> None:
        """Keep what was said of an order the engine has taken."""
        self._by_id[facts.id] = facts
        self._by_id.move_to_end(facts.id)
        self._by_oid[facts.oid] = facts
        if len(self._by_id) > self._capacity:
            _, oldest = self._by_id.popitem(last=False)
            self._by_oid.pop(oldest.oid, None)

    def named(self, order_id: str) -> OrderFacts | None:
        """Return the newest order of this name."""
        return self._by_id.get(order_id)

    def current(self, oid: int) -> OrderFacts | None:
        """Return what was signed of an order, unless another has taken its name since."""
        facts = self._by_oid.get(oid)
        return facts if facts is not None and self._by_id.get(facts.id) is facts else None

    def of(self, oid: int) -> OrderFacts | None:
        """Return what was signed of an order; None for one that nobody signed, such as a liquidation's."""
        return self._by_oid.get(oid)
