"""Leverage: gross exposure of a strategy against its own equity.

Account and portfolio are bounded by the exposure counters, where all strategies meet.
"""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check, limit_missing
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode


def find_leverage(candidate: Candidate) -> Breach | None:
    """Return a breach when own gross exposure would exceed the multiple of own equity."""
    multiple = candidate.limit(LimitKind.MAX_LEVERAGE)
    if multiple is None:
        return limit_missing(LimitKind.MAX_LEVERAGE)
    equity = candidate.facts.strategy_equity
    if equity is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, "the strategy's equity", "not known now")
    gross = candidate.tally.gross + candidate.added_exposure
    if gross > multiple * equity:
        return Breach(RefusalCode.LEVERAGE_EXCEEDED, multiple * equity, gross)
    return None


LEVERAGE = Check(
    name="leverage",
    codes={
        RefusalCode.LEVERAGE_EXCEEDED: "Gross exposure would exceed the allowed multiple of equity.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
    },
    find=find_leverage,
    binds_reducing=False,
)
