"""The port that gives a client order id a short number where a venue keeps no more (dYdX: 32 bits)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Protocol
from uuid import UUID

from moondev.domain.errors import Configuration


class ShortIds(Protocol):
    """Numbers of one account's orders, unique for ever and stored before they are used. Hashable."""

    def __hash__(self) -> int:
        """Tell accounts apart: sessions are kept per account."""
        ...

    def numbers(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the number of each id, drawing new ones where there are none; the same every time."""
        ...

    def known(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the numbers that were drawn before; ids without one are left out."""
        ...

    def ids(self, numbers: Sequence[int]) -> Mapping[int, UUID]:
        """Return whose numbers these are; numbers we never drew are left out."""
        ...


class NoShortIds:
    """For venues that keep the whole id, and for tools that only cancel by the venue's own."""

    def numbers(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:  # noqa: ARG002 - the port's words
        """Refuse: nothing here could be found again after a crash."""
        raise Configuration("this venue needs short order numbers, and nobody here keeps them")

    def known(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:  # noqa: ARG002 - the port's words
        """Return that none was drawn."""
        return {}

    def ids(self, numbers: Sequence[int]) -> Mapping[int, UUID]:  # noqa: ARG002 - the port's words
        """Return that they are nobody's."""
        return {}


class PassingShortIds:
    """Numbers for tools that run with nothing of ours and send a few orders: kept in memory, gone with the process.

    They come from the top of the range, far above those that are stored, from a place that each process draws anew.
    """

    FIRST, LAST = 4_000_000_000, 2**32 - 1

    def __init__(self) -> None:
        """Start somewhere."""
        self._next = count(random.randrange(self.FIRST, self.LAST - 1_000_000))  # noqa: S311 - not a secret
        self._of: dict[UUID, int] = {}

    def numbers(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the number of each id, drawing new ones where there are none."""
        for client_id in client_order_ids:
            if client_id not in self._of:
                self._of[client_id] = next(self._next)
        return self.known(client_order_ids)

    def known(self, client_order_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the numbers that this process drew before."""
        return {client_id: self._of[client_id] for client_id in client_order_ids if client_id in self._of}

    def ids(self, numbers: Sequence[int]) -> Mapping[int, UUID]:
        """Return whose numbers these are; those of other processes are nobody's."""
        wanted = set(numbers)
        return {number: client_id for client_id, number in self._of.items() if number in wanted}
