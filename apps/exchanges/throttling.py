"""The port through which an adapter asks whether it may spend a venue's patience.

Every request costs something from one or more budgets: weight per address of the machine, orders per
account, actions per signer. An adapter states the cost before it sends and passes on what the venue
says about it afterwards; who keeps the books, and how processes share them, is not its business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Lane(StrEnum):
    """Who asks. The reserved lane may use the last part of a budget that the ordinary one may not."""

    ORDINARY = "ordinary"
    RESERVED = "reserved"


class Scope(StrEnum):
    """Whose budget it is."""

    ADDRESS = "address"
    ACCOUNT = "account"
    SIGNER = "signer"


@dataclass(frozen=True, slots=True)
class Budget:
    """One allowance of a venue: `capacity` units, refilled evenly over `seconds`.

    `reserved` of them (0 to 1) are for cancels, reducing orders and the questions that settle them.
    """

    name: str
    scope: Scope
    capacity: int
    seconds: float
    reserved: float = 0.2


class Throttle(Protocol):
    """The budgets of one venue as seen from one account and signer. Thread-safe, never blocks for long."""

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        """Take `cost` (units by budget name), all or nothing.

        Raises RateLimited, naming the budget and when to come back, when there is not enough or the
        venue has banned us; nothing was taken then and nothing may be sent.
        """
        ...

    def heard(self, used: Mapping[str, int]) -> None:
        """Take the venue's own figures of what is used up, by budget name; ours follow when they are lower."""
        ...

    def rest(self, seconds: float, reason: str) -> None:
        """Send nothing for so long: the venue said 429, 418 or 403. Every process of every account obeys."""
        ...


class Unlimited:
    """A throttle that lets everything pass: for unit tests and load tests, which then say so."""

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        """Let it pass."""

    def heard(self, used: Mapping[str, int]) -> None:
        """Note nothing."""

    def rest(self, seconds: float, reason: str) -> None:
        """Note nothing."""
