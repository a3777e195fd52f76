"""Strategy correlation: strategies that are copies of each other share the limit of one.

This is the part that needs no lock, by what the others held when the tick began; what all hold together at the moment
of the order is bounded under the locks of the counters, see `correlation.sharing`.
"""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode


def find_strategy_correlation(candidate: Candidate) -> Breach | None:
    """Return a breach when the group of a strategy would exceed what one of it may hold."""
    shared = candidate.facts.copies
    if shared is None:
        return None
    if shared.most is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, shared.words[:100], "not known now")
    total = shared.others + candidate.tally.gross + candidate.added_exposure
    return Breach(RefusalCode.STRATEGIES_CORRELATED, shared.words[:100], total) if total > shared.most else None


STRATEGY_CORRELATION = Check(
    name="strategy correlation",
    codes={
        RefusalCode.STRATEGIES_CORRELATED: "It moves like another strategy: together they would exceed one's limit.",
        RefusalCode.EQUITY_UNKNOWN: "An equity that the rule needs is missing or stale; it is never taken for zero.",
    },
    find=find_strategy_correlation,
    binds_reducing=False,
)
