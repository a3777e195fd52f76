"""Open orders: how many a scope may have in the market or on their way there, exits and stops among them."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.checks.overload import LOAD_UNKNOWN, find_breach
from apps.risk.overload import OPEN_ORDERS as MEASURE
from moondev.domain.decisions import RefusalCode


def find_too_many_open(candidate: Candidate) -> Breach | None:
    """Return a breach when a scope would have more orders open than its limit; an amendment adds none."""
    return None if candidate.amended is not None else find_breach(MEASURE, candidate)


OPEN_ORDERS = Check(
    name="open orders",
    codes={
        RefusalCode.OPEN_ORDERS_EXCEEDED: "A scope around the order would have more orders open than its limit.",
        RefusalCode.LOAD_UNKNOWN: LOAD_UNKNOWN,
    },
    find=find_too_many_open,
    binds_reducing=False,
)
