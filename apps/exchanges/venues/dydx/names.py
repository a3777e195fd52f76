"""What an order is called: four parts on the chain, one uuid at the indexer, which anybody can work out from them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID, uuid5

from apps.exchanges.venues.dydx.config import SUBACCOUNT

SHORT_TERM, CONDITIONAL, LONG_TERM = 0, 32, 64
FLAGS = (LONG_TERM, SHORT_TERM, CONDITIONAL)
REMEMBERED = 10_000
# https://github.com/dydxprotocol/v4-chain/blob/main/indexer/packages/postgres/src/helpers/uuid.ts
_NAMESPACE = UUID("0f9da948-a6fb-4c45-9edc-4685c3f3317d")


@dataclass(frozen=True, slots=True)
class ChainName:
    """The chain's name of an order. `number` has 32 bits and is ours to choose."""

    owner: str
    number: int
    flags: int
    pair: int

    @property
    def venue_order_id(self) -> str:
        """Return the indexer's name of the order."""
        owner = uuid5(_NAMESPACE, f"{self.owner}-{SUBACCOUNT}")
        return str(uuid5(_NAMESPACE, f"{owner}-{self.number}-{self.pair}-{self.flags}"))


@dataclass(frozen=True, slots=True)
class Sent:
    """An order this process sent or saw: its name and, of a short-term one, its last block."""

    name: ChainName
    last_block: int = 0


class KnownNames:
    """Orders by their number and by the indexer's id: what saves a question, never more than that."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        """Remember `capacity` orders."""
        self._by_number: OrderedDict[int, Sent] = OrderedDict()
        self._by_id: dict[str, Sent] = {}
        self._capacity = capacity
        self._lock = Lock()

    def note(self, *sent: Sent) -> None:
        """Remember orders."""
        with self._lock:
            self._note(sent)

    def _note(self, sent: Sequence[Sent]) -> None:
        for one in sent:
            self._by_number[one.name.number] = one
            self._by_number.move_to_end(one.name.number)
            self._by_id[one.name.venue_order_id] = one
            if len(self._by_number) > self._capacity:
                _, oldest = self._by_number.popitem(last=False)
                self._by_id.pop(oldest.name.venue_order_id, None)

    def numbered(self, number: int) -> Sent | None:
        """Return the order of a number."""
        return self._by_number.get(number)

    def called(self, venue_order_id: str) -> Sent | None:
        """Return the order the indexer calls so."""
        return self._by_id.get(venue_order_id)
