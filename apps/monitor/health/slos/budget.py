"""Error budgets: what an objective allows to go wrong, how much of it is left, and how fast it is used up.

Burn rates are those of https://sre.google/workbook/alerting-on-slos/: 1 uses up the budget in exactly one window.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from moondev.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Count:
    """Good events of all events."""

    good: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        """Refuse more good events than events."""
        if not 0 <= self.good <= self.total:
            raise InvalidValue("good", self.good, f"0 to {self.total}, the number of events")

    def __add__(self, other: Count) -> Count:
        """Return both together."""
        return Count(self.good + other.good, self.total + other.total)

    @property
    def bad(self) -> int:
        """Return how many were not good."""
        return self.total - self.good

    @property
    def share(self) -> float | None:
        """Return which part was good; None of nothing."""
        return None if self.total == 0 else float(Fraction(self.good, self.total))


def burn_rate(count: Count, objective: Decimal) -> float | None:
    """Return how many times as fast as allowed the budget was used while `count` happened; None when nothing did."""
    if count.total == 0:
        return None
    return float(Fraction(count.bad, count.total) / _allowed(objective))


def budget_left(count: Count, objective: Decimal) -> float | None:
    """Return which part of a whole window's budget is left after `count`: 1 is all, below 0 is overdrawn.

    None when nothing happened: there is no budget of nothing.
    """
    rate = burn_rate(count, objective)
    return None if rate is None else 1.0 - rate


def bad_allowed(count: Count, objective: Decimal) -> float:
    """Return how many of so many events may be bad."""
    return float(_allowed(objective) * count.total)


def _allowed(objective: Decimal) -> Fraction:
    """Return the share of events that may be bad. Raises InvalidValue when that is none, or all."""
    if not 0 < objective < 1:
        raise InvalidValue("objective", objective, "a share between 0 and 1, both excluded")
    return 1 - Fraction(objective)
