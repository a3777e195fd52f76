"""Short order numbers kept in memory: what the database does for venues with short client order ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from uuid import UUID


class RememberedNumbers:
    """Numbers of one account's orders. See `ShortIds`."""

    def __init__(self) -> None:
        self._of: dict[UUID, int] = {}
        self._next = count(1)

    def numbers(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the number of each id, drawing new ones where there are none."""
        for name in client_order_ids:
            if name not in self._of:
                self._of[name] = next(self._next)
        return self.known(client_order_ids)

    def known(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the numbers that were drawn before."""
        return {name: self._of[name] for name in client_order_ids if name in self._of}

    def ids(self, numbers: Sequence[int]) -> Mapping[int, UUID]:
        """Return whose numbers these are."""
        return {number: name for name, number in self._of.items() if number in set(numbers)}
