"""A throttle on a Redis of the test's choosing, and what may be said for certain about spends that were timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apps.exchanges.execution.throttle.alone import Alone
from apps.exchanges.execution.throttle.purse import Purse, Spender
from apps.exchanges.execution.throttle.shared import SharedThrottle
from apps.exchanges.throttling import Budget, EarnedBudget, Lane, Scope
from moondev.domain.clock import Clock, LiveClock
from moondev.domain.errors import RateLimited

# Slots of the script: what was spent may count for a slot longer than the window.
SLOTS = 20
WEIGHT = Budget("weight", Scope.ADDRESS, capacity=100, seconds=60.0, reserved=0.2)
ORDERS = Budget("orders", Scope.ACCOUNT, capacity=10, seconds=60.0, reserved=0.2)
ACTIONS = EarnedBudget("actions", Scope.ACCOUNT, initial=10, overdraft=100, trickle_seconds=60.0)
BUDGETS = (WEIGHT, ORDERS, ACTIONS)


def throttle(
    client,
    account: str = "0xA",
    budgets: Sequence[Budget | EarnedBudget] = BUDGETS,
    alone: Alone | None = None,
    clock: Clock | None = None,
    venue: str = "venue",
    egress: str = "here",
) -> SharedThrottle:
    purse = Purse(Spender(venue, egress, account, "signer"), {b.name: b for b in budgets}, clock or LiveClock())
    return SharedThrottle(client, purse, alone or Alone())


@dataclass(frozen=True, slots=True)
class Attempt:
    """One spend of one unit: it was decided between `began` and `ended`, by the machine's monotonic clock."""

    began: float
    ended: float
    passed: bool


def attempt(spend: Callable[[], None]) -> Attempt:
    began = time.monotonic()
    try:
        spend()
    except RateLimited:
        return Attempt(began, time.monotonic(), passed=False)
    return Attempt(began, time.monotonic(), passed=True)


def most_in_a_window(attempts: Sequence[Attempt], seconds: float) -> int:
    """Return the most spends that certainly fell within one window."""
    passed = sorted((one for one in attempts if one.passed), key=lambda one: one.began)
    return max(
        (sum(other.ended <= first.began + seconds for other in passed[i:]) for i, first in enumerate(passed)), default=0
    )


def needless_refusals(attempts: Sequence[Attempt], seconds: float, capacity: int) -> list[Attempt]:
    """Return refusals at a moment when fewer spends than `capacity` can possibly have counted."""
    reach = seconds * (1 + 1 / SLOTS)
    passed = [one for one in attempts if one.passed]
    refused = [one for one in attempts if not one.passed]
    return [
        no
        for no in refused
        if sum(yes.ended >= no.began - reach and yes.began <= no.ended for yes in passed) < capacity
    ]


def spends_until_refused(throttle: SharedThrottle, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> int:
    """Spend until it is refused; return how often that worked."""
    for count in range(1_000):
        if not attempt(lambda: throttle.spend(cost, lane)).passed:
            return count
    raise AssertionError("never refused")
