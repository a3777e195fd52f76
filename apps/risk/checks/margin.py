"""Margin: an order must leave its account a part of its equity free at the venue."""

from __future__ import annotations

from apps.exchanges.models import ScopeKind
from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.checks.overload import LOAD_UNKNOWN
from apps.risk.loads import margin_of
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode


def find_too_little_margin(candidate: Candidate) -> Breach | None:
    """Return a breach when the margin in use after the order would exceed its share of the account's equity."""
    share, facts = candidate.limit(LimitKind.MARGIN_SHARE), candidate.facts
    if share is None:
        return None
    if facts.account_equity is None or facts.margin_used is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, "the account's equity and margin", "not known now")
    if facts.loads is None:
        return Breach(RefusalCode.LOAD_UNKNOWN, LimitKind.MARGIN_SHARE.value, "not known now")
    after = candidate.load_after((ScopeKind.ACCOUNT.value, facts.scope.account))
    allowed, needed = share * facts.account_equity, margin_of(after, facts.margin_used)
    return Breach(RefusalCode.MARGIN_EXCEEDED, allowed, round(needed, 8)) if needed > allowed else None


MARGIN = Check(
    name="margin",
    codes={
        RefusalCode.MARGIN_EXCEEDED: "Margin in use at the venue would exceed its share of the account's equity.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
        RefusalCode.LOAD_UNKNOWN: LOAD_UNKNOWN,
    },
    find=find_too_little_margin,
    binds_reducing=False,
)
