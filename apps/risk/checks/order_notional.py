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
    limit = candidate.limit(LimitKind.MAX_ORDER_NOTIONAL)
    if limit is None:
        return limit_missing(LimitKind.MAX_ORDER_NOTIONAL)
    if candidate.notional > limit:
        return Breach(RefusalCode.NOTIONAL_EXCEEDS_MAXIMUM, limit, candidate.notional)
    return None


ORDER_NOTIONAL = Check(
    name="order notional",
    codes={
        RefusalCode.CURRENCY_MISMATCH: "The instrument is quoted in another currency than the account counts in.",
        RefusalCode.NOTIONAL_EXCEEDS_MAXIMUM: "Quantity x price is above the largest order allowed.",
    },
    find=find_notional_above_limit,
    binds_reducing=False,
)
