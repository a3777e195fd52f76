"""Self-trade: nothing opens against an order of ours that rests on the other side."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check, Resting
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import Side


def find_own_counterparty(candidate: Candidate) -> Breach | None:
    """Return a breach when the order would trade with a working order of ours."""
    if candidate.trigger_price is not None:
        return None
    for resting in candidate.tally.resting.values():
        if _would_trade(candidate, resting):
            return Breach(RefusalCode.SELF_TRADE, resting.price.value, candidate.price.value)
    return None


def _would_trade(candidate: Candidate, resting: Resting) -> bool:
    if resting.instrument != candidate.instrument.key or resting.side is candidate.side:
        return False
    if candidate.side is Side.BUY:
        return candidate.price >= resting.price
    return candidate.price <= resting.price


SELF_TRADE = Check(
    name="self-trade",
    codes={RefusalCode.SELF_TRADE: "It would trade with a working order of ours on the other side."},
    find=find_own_counterparty,
    binds_reducing=False,
)
