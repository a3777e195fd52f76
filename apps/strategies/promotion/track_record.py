"""What a strategy made day by day, and how far that is from what was to be expected. Pure.

A daily return is the day's profit over what the strategy was worth when the day began; money that its owner adds or
takes away is no profit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

# A standard deviation of fewer days says nothing.
FEWEST_DAYS = 5

DailyReturns = Mapping[date, float]


@dataclass(frozen=True, slots=True)
class DayMark:
    """Worth at the end of a UTC day and what had been paid in by then, in the account's currency."""

    day: date
    equity: Decimal
    funded: Decimal


@dataclass(frozen=True, slots=True)
class Expectation:
    """Mean and standard deviation (ddof 1) of a day's return."""

    mean: float
    deviation: float


def daily_returns(marks: Sequence[DayMark]) -> dict[date, float]:
    """Return the return of each day whose day before is known too; a day begun without money has none."""
    found: dict[date, float] = {}
    for before, after in pairwise(marks):
        if after.day - before.day != timedelta(days=1) or before.equity <= 0:
            continue
        profit = (after.equity - after.funded) - (before.equity - before.funded)
        found[after.day] = float(profit / before.equity)
    return found


def expectation(returns: DailyReturns) -> Expectation | None:
    """Return what a day's return was on average and how much it varied; None for fewer than FEWEST_DAYS."""
    if len(returns) < FEWEST_DAYS:
        return None
    values = list(returns.values())
    mean = math.fsum(values) / len(values)
    return Expectation(mean, _deviation([value - mean for value in values]))


def tracking_error(ours: DailyReturns, theirs: DailyReturns) -> float | None:
    """Return the standard deviation (ddof 1) of the difference on common days; None for fewer than FEWEST_DAYS."""
    common = sorted(ours.keys() & theirs.keys())
    if len(common) < FEWEST_DAYS:
        return None
    differences = [ours[day] - theirs[day] for day in common]
    mean = math.fsum(differences) / len(differences)
    return _deviation([difference - mean for difference in differences])


def deviations_from(expected: Expectation, achieved: float, days: float) -> float | None:
    """Return by how many standard deviations `achieved` (a share of the capital, in `days`) differs from the expected.

    Days are taken as independent, so the deviation of their sum grows with the root of their number; less than a day
    counts as one. None when the expected return does not vary.
    """
    if expected.deviation <= 0:
        return None
    span = max(days, 1.0)
    return (achieved - expected.mean * span) / (expected.deviation * math.sqrt(span))


def _deviation(centred: Sequence[float]) -> float:
    return math.sqrt(math.fsum(value * value for value in centred) / (len(centred) - 1))
