"""Day loss: a portfolio that has lost its share since 00:00 UTC opens nothing more that day.

A breaker watches the same figure from outside. When one has let trading go on, it has taken the loss for granted, and
this check believes it until a tenth more is lost.
"""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode


def find_day_lost(candidate: Candidate) -> Breach | None:
    """Return a breach when today's loss has reached its limit, as a share of what the portfolio began the day with."""
    limit = candidate.limit(LimitKind.DAY_LOSS)
    if limit is None:
        return None
    loss = candidate.facts.day_loss
    if loss is None or loss.share is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, LimitKind.DAY_LOSS.value, "not known now")
    return Breach(RefusalCode.DAY_LOSS_REACHED, limit, round(loss.share, 6)) if loss.reaches(limit) else None


DAY_LOSS = Check(
    name="day loss",
    codes={
        RefusalCode.DAY_LOSS_REACHED: "The portfolio has lost as much since 00:00 UTC as it may.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
    },
    find=find_day_lost,
    binds_reducing=False,
)
