"""What a process may spend while Redis is away: a fixed share of the reserved lane, for what must not wait."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock

from apps.exchanges.execution.throttle.purse import Purse, ceiling
from apps.exchanges.throttling import Budget, EarnedBudget, Lane
from moondev.domain.clock import monotonic

# Of the reserved lane, for each process. Nothing else is spent meanwhile: with a fifth reserved, twenty processes that
# speak to one venue stay within what it allows.
SHARE = 0.25
# After Redis failed to answer it is not asked again for so long: nothing may be slowed by it.
REDIS_REST_SECONDS = 1.0


@dataclass(slots=True)
class _Spent:
    """What one budget has given without Redis: when and how much, and how much Redis has yet to be told."""

    moments: deque[tuple[float, int]] = field(default_factory=deque)
    total: int = 0

    def forget(self, before: float) -> None:
        while self.moments and self.moments[0][0] < before:
            self.total -= self.moments.popleft()[1]


class Alone:
    """The shares of one process, whatever accounts it serves. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._spent: dict[str, _Spent] = {}
        self._owed: Counter[str] = Counter()
        self._rests: dict[str, float] = {}
        self._redis_away_until = 0.0

    @property
    def redis_is_away(self) -> bool:
        """Return whether Redis failed to answer a moment ago."""
        return monotonic() < self._redis_away_until

    def redis_failed(self) -> None:
        """Note that Redis did not answer."""
        self._redis_away_until = monotonic() + REDIS_REST_SECONDS

    def rest(self, key: str, seconds: float) -> None:
        """Note that a venue wants to be left alone."""
        with self._lock:
            self._rests[key] = max(self._rests.get(key, 0.0), monotonic() + seconds)

    def resting(self, key: str) -> float:
        """Return for how many seconds more a venue is left alone, as far as this process knows."""
        return max(0.0, self._rests.get(key, 0.0) - monotonic())

    def spend(self, purse: Purse, cost: Mapping[str, int]) -> str | None:
        """Take `cost` from this process's shares, all or nothing; return the name of the budget that has not enough."""
        now = monotonic()
        with self._lock:
            for name, units in cost.items():
                budget = purse.budgets[name]
                spent = self._spent.setdefault(purse.keys[name], _Spent())
                if isinstance(budget, Budget):
                    spent.forget(now - purse.real_seconds(budget.seconds))
                if spent.total + units > share(budget):
                    return name
            for name, units in cost.items():
                spent = self._spent[purse.keys[name]]
                spent.moments.append((now, units))
                spent.total += units
            self._owe(purse, cost)
        return None

    def owe(self, purse: Purse, cost: Mapping[str, int]) -> None:
        """Note what Redis has to be told of once it is back."""
        with self._lock:
            self._owe(purse, cost)

    def _owe(self, purse: Purse, cost: Mapping[str, int]) -> None:
        for name, units in cost.items():
            self._owed[purse.keys[name]] += units

    def take_owed(self, purse: Purse) -> dict[str, int]:
        """Return, once, by budget name what Redis has not been told of."""
        if not self._owed:
            return {}
        with self._lock:
            owed = {name: self._owed.pop(key, 0) for name, key in purse.keys.items()}
        return {name: units for name, units in owed.items() if units}


def share(budget: Budget | EarnedBudget) -> int:
    """Return how many units a process may spend of a budget by itself, per window or, of an earned one, in all."""
    if isinstance(budget, EarnedBudget):
        return max(1, round(min(budget.initial, budget.overdraft) * SHARE))
    reserved = budget.capacity - ceiling(budget, Lane.ORDINARY)
    return max(1, round(reserved * SHARE))


@lru_cache(maxsize=1)
def process_shares() -> Alone:
    """Return the shares of this process."""
    return Alone()
