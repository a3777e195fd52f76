"""The port through which an adapter asks whether it may spend a venue's patience.

Every request costs something from one or more budgets: weight per address of the machine, orders per
account, actions per signer. An adapter states the cost before it sends and passes on what the venue
says about it afterwards; who keeps the books, and how processes share them, is not its business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Lane(StrEnum):
    """Who asks. Each lane may use a part of a budget that those before it may not.

    Reserved is for cancels, exits and the questions that settle them, routine ones too; what stops everything goes in
    the foremost, for routine must not spend what a halt needs.
    """

    ORDINARY = "ordinary"
    RESERVED = "reserved"
    FOREMOST = "foremost"


class Scope(StrEnum):
    """Whose budget it is."""

    ADDRESS = "address"
    ACCOUNT = "account"
    SIGNER = "signer"


@dataclass(frozen=True, slots=True)
class Budget:
    """One allowance of a venue: `capacity` units, refilled evenly over `seconds`.

    `reserved` of them (0 to 1) are for cancels, reducing orders and the questions that settle them; the last sixteenth
    of those for halts alone: for their cancels.
    """

    name: str
    scope: Scope
    capacity: int
    seconds: float
    reserved: float = 0.2


@dataclass(frozen=True, slots=True)
class EarnedBudget:
    """An allowance for good that trading enlarges: `initial` units, and as many more as the venue grants.

    Every lane but the ordinary may go `overdraft` units beyond it, at most as far again as it reaches. When it is
    spent, one request passes every `trickle_seconds`. Hyperliquid's budget of an address is of this kind.
    https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits
    """

    name: str
    scope: Scope
    initial: int
    overdraft: int
    trickle_seconds: float


class Throttle(Protocol):
    """The budgets of one venue as seen from one account and signer. Thread-safe, never blocks for long.

    Seconds of budgets are the run's, as the venue counts them; those of `rest` and of `RateLimited` are real.
    """

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        """Take `cost` (units by budget name), all or nothing.

        Raises RateLimited, naming the budget and when to come back, when there is not enough or the
        venue has banned us; nothing was taken then and nothing may be sent. Raises InvalidValue for a cost
        that could never be paid at once, and for a budget that is not among the adapter's.
        """
        ...

    def charge(self, cost: Mapping[str, int]) -> None:
        """Take what an answer has cost beyond its question, such as weight per row; never refused."""
        ...

    def heard(self, used: Mapping[str, int]) -> None:
        """Take the venue's own figures of what is used up, by budget name; ours follow when the venue counts more.

        Of an `EarnedBudget` the venue's figure replaces ours: it is never reset.
        """
        ...

    def granted(self, name: str, units: int) -> None:
        """Take the venue's word on how large an `EarnedBudget` has become."""
        ...

    def rest(self, seconds: float, reason: str) -> None:
        """Send nothing for so long: the venue said 429, 418 or 403. Every process of every account obeys.

        A venue that has to say it again soon after is left alone for longer, twice as long each time.
        """
        ...


class Unlimited:
    """A throttle that lets everything pass: for unit tests and load tests, which then say so."""

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        """Let it pass."""

    def charge(self, cost: Mapping[str, int]) -> None:
        """Note nothing."""

    def heard(self, used: Mapping[str, int]) -> None:
        """Note nothing."""

    def granted(self, name: str, units: int) -> None:
        """Note nothing."""

    def rest(self, seconds: float, reason: str) -> None:
        """Note nothing."""


class Foremost:
    """A throttle of one that stops everything: whatever it asks for, it asks in the foremost lane."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:  # noqa: ARG002  it is always the foremost
        """Take `cost` in the foremost lane."""
        self._throttle.spend(cost, Lane.FOREMOST)

    def charge(self, cost: Mapping[str, int]) -> None:
        """Take what an answer has cost beyond its question."""
        self._throttle.charge(cost)

    def heard(self, used: Mapping[str, int]) -> None:
        """Follow the venue where it counts more than we do."""
        self._throttle.heard(used)

    def granted(self, name: str, units: int) -> None:
        """Take the venue's word on how large an earned budget has become."""
        self._throttle.granted(name, units)

    def rest(self, seconds: float, reason: str) -> None:
        """Leave the venue alone for a while."""
        self._throttle.rest(seconds, reason)


def lane_of(reduces: Iterable[bool]) -> Lane:
    """Return the lane of a request by whether each of its orders can only reduce: all must."""
    return Lane.RESERVED if all(reduces) else Lane.ORDINARY
