"""Whose budget is which: its key in Redis, and what one lane may take of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from apps.exchanges.throttling import Budget, EarnedBudget, Lane, Scope
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue

PREFIX = "throttle"
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Spender:
    """Who spends: from which internet address, for which account, as which signer; empty where there is none."""

    venue: str
    egress: str
    account: str = ""
    signer: str = ""

    @property
    def rest_key(self) -> str:
        """Return the key of the venue's ban of our internet address."""
        return f"{PREFIX}:{self.venue}:address:{self.egress}:rest"

    def key(self, budget: Budget | EarnedBudget) -> str:
        """Return the key of one budget."""
        who = {Scope.ADDRESS: self.egress, Scope.ACCOUNT: self.account.lower(), Scope.SIGNER: self.signer}
        return f"{PREFIX}:{self.venue}:{budget.scope}:{who[budget.scope]}:{budget.name}"


def signer_name(signer_key: str) -> str:
    """Return a name for a key that tells nothing of it; empty for no key."""
    return sha256(f"{PREFIX}/{signer_key}".encode()).hexdigest()[:16] if signer_key else ""


def ceiling(budget: Budget, lane: Lane) -> int:
    """Return how many units a lane may bring a budget to; one unit is for everybody, however small it is."""
    kept = budget.capacity * budget.reserved
    if lane is Lane.FOREMOST:
        return budget.capacity
    if lane is Lane.RESERVED:
        return budget.capacity - math.floor(kept / 16)
    return max(1, budget.capacity - math.ceil(kept))


class Purse:
    """The budgets of one spender by name, in the form the script takes them."""

    def __init__(self, spender: Spender, budgets: Mapping[str, Budget | EarnedBudget], clock: Clock) -> None:
        """Prepare keys and figures; windows are real time, however fast the run's own passes."""
        self.spender, self.budgets = spender, budgets
        self.keys = {name: spender.key(budget) for name, budget in budgets.items()}
        self._clock = clock

    def require(self, cost: Mapping[str, int], lane: Lane) -> None:
        """Raise InvalidValue for an unknown budget, a negative cost, and one that can never be paid at once."""
        for name, units in cost.items():
            budget = self.budgets.get(name)
            if budget is None:
                raise InvalidValue("budget", name, f"of {self.spender.venue}: {', '.join(self.budgets) or 'none'}")
            if units < 0:
                raise InvalidValue(name, units, "zero or more units")
            if isinstance(budget, Budget) and units > ceiling(budget, lane):
                raise InvalidValue(name, units, f"at most {ceiling(budget, lane)} at once in the {lane} lane")

    def figures(self, name: str, units: int, lane: Lane) -> tuple[int, int, int, int, int]:
        """Return units, ceiling, window, trickle and overdraft, times in microseconds."""
        budget = self.budgets[name]
        if isinstance(budget, Budget):
            return units, ceiling(budget, lane), max(1, round(self.real_seconds(budget.seconds) * MICROSECONDS)), 0, 0
        overdraft = 0 if lane is Lane.ORDINARY else budget.overdraft
        trickle = round(self.real_seconds(budget.trickle_seconds) * MICROSECONDS)
        return units, budget.initial, 0, trickle, overdraft

    def real_seconds(self, run_seconds: float) -> float:
        """Return how long seconds of the run last; a clock that stands still counts as real time."""
        return self._clock.wall_seconds(run_seconds) or run_seconds
