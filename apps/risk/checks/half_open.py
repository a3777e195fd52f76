"""Half open: after a breaker has tripped a strategy comes back with a part of its size."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode


def find_half_open(candidate: Candidate) -> Breach | None:
    """Return a breach when own gross exposure would exceed the share of own equity x leverage that a breaker allows."""
    share = candidate.facts.size_share(candidate.instrument.key)
    if share >= 1:
        return None
    equity = candidate.facts.strategy_equity
    if equity is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, "the strategy's equity", "not known now")
    allowed = share * equity * candidate.facts.scope.leverage
    gross = candidate.tally.gross + candidate.added_exposure
    return Breach(RefusalCode.HALF_OPEN_EXCEEDED, allowed, gross) if gross > allowed else None


HALF_OPEN = Check(
    name="half open",
    codes={
        RefusalCode.HALF_OPEN_EXCEEDED: "A breaker around the order is half open: exposure would exceed its part.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
    },
    find=find_half_open,
    binds_reducing=False,
)
