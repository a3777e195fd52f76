"""Drawdown: who has fallen too far from the peak opens nothing more.

The guard halts and flattens on the same numbers; this check closes the moment before it has done so.
"""

from __future__ import annotations

from decimal import Decimal

from apps.risk.checks.candidate import Breach, Candidate, Check, limit_missing
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode


def find_strategy_drawdown(candidate: Candidate) -> Breach | None:
    """Return a breach when the strategy's drawdown has reached its limit (share of the peak)."""
    return _find(
        candidate,
        LimitKind.STRATEGY_DRAWDOWN,
        candidate.facts.strategy_drawdown,
        RefusalCode.STRATEGY_DRAWDOWN,
    )


def find_portfolio_drawdown(candidate: Candidate) -> Breach | None:
    """Return a breach when the portfolio's drawdown has reached its limit (share of the peak)."""
    return _find(
        candidate,
        LimitKind.PORTFOLIO_DRAWDOWN,
        candidate.facts.portfolio_drawdown,
        RefusalCode.PORTFOLIO_DRAWDOWN,
    )


def _find(candidate: Candidate, kind: LimitKind, drawdown: Decimal | None, code: RefusalCode) -> Breach | None:
    limit = candidate.limit(kind)
    if limit is None:
        return limit_missing(kind)
    if drawdown is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, kind.value, "not known now")
    return Breach(code, limit, round(drawdown, 6)) if drawdown >= limit else None


STRATEGY_DRAWDOWN = Check(
    name="strategy drawdown",
    codes={
        RefusalCode.STRATEGY_DRAWDOWN: "The strategy has lost as much of its peak equity as it may.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
    },
    find=find_strategy_drawdown,
    binds_reducing=False,
)
PORTFOLIO_DRAWDOWN = Check(
    name="portfolio drawdown",
    codes={
        RefusalCode.PORTFOLIO_DRAWDOWN: "The portfolio has lost as much of its peak equity as it may.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
    },
    find=find_portfolio_drawdown,
    binds_reducing=False,
)
