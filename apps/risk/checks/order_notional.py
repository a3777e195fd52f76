"""Order notional: one order is never worth more than the limit, and counts in the account's currency."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check, limit_missing
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode


def find_notional_above_limit(candidate: Candidate) -> Breach | None:
    """Return a breach when quantity x price exceeds the limit or is in another currency."""
    currency = candidate.facts.scope.currency
    if candidate.instrument.quote != currency:
        return Breach(RefusalCode.CURRENCY_MISMATCH, currency, candidate.instrument.quote)
    foreign = candidate.facts.limits.foreign(candidate.around, candidate.facts.currency)
    if foreign is not None:
        return Breach(RefusalCode.CURRENCY_MISMATCH, f"limits in {candidate.facts.currency}", f"a limit in {foreign}")
    limit = candidate.limit(LimitKind.MAX_ORDER_NOTIONAL)
    if limit is None:
        return limit_missing(LimitKind.MAX_ORDER_NOTIONAL)
    worth = candidate.facts.worth
    if worth is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, candidate.facts.currency, "a currency without a rate")
    notional = candidate.notional * worth
    return Breach(RefusalCode.NOTIONAL_EXCEEDS_MAXIMUM, limit, notional) if notional > limit else None


ORDER_NOTIONAL = Check(
    name="order notional",
    codes={
        RefusalCode.CURRENCY_MISMATCH: "The instrument or a limit is in another currency than the account counts in.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
        RefusalCode.NOTIONAL_EXCEEDS_MAXIMUM: "Quantity x price is above the largest order allowed.",
    },
    find=find_notional_above_limit,
    binds_reducing=False,
)
