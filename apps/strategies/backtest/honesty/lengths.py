"""The same decision on once, twice and more times the bars that a strategy asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.views import Views
from apps.strategies.backtest.honesty.wishes import apart, wishes

# So many places are told; the figures count all.
MOST_FINDINGS = 5
# One part in a thousand million of a price is rounding.
ROUNDING_BPS = 1e-5


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many decisions were compared, how many wanted something else, and how far apart the prices of others were."""

    rows: int
    differing: int
    worst_bps: float
    findings: tuple[str, ...]


def decisions_by_length(case: Case, moments: Sequence[datetime], most: int = 4) -> Lengths:
    """Return how what is wanted at `moments` changes when up to `most` times the past is shown that was asked for.

    Live, a strategy sees what it asks for and no more: what it would decide on more shows how much of its indicators
    is still the beginning of the window.
    """
    views = Views(case.loaded, case.setting)
    differing, worst, found = 0, 0.0, list[str]()
    for moment in moments:
        asked = wishes(views.decide(views.at(moment)))
        for windows in range(2, most + 1):
            other, distance, where = apart(wishes(views.decide(views.at(moment, windows))), asked)
            differing += other
            worst = worst if other else max(worst, distance)
            if other or distance > ROUNDING_BPS:
                found.append(f"at {moment:%Y-%m-%d %H:%M} with {windows} times the bars asked for: {where}")
                break
    return Lengths(len(moments), differing, worst, tuple(found[:MOST_FINDINGS]))
