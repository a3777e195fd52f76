"""Order rate: how many orders a scope may place in a minute, over all processes together.

Counted in the database, where every process writes its orders. Cancels and amendments are not counted; exits are, and
are never refused.
"""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.checks.overload import LOAD_UNKNOWN, find_breach
from apps.risk.overload import ORDER_RATE as MEASURE
from moondev.domain.decisions import RefusalCode


def find_too_many_lately(candidate: Candidate) -> Breach | None:
    """Return a breach when a scope would have placed more orders in the last minute than its limit."""
    return None if candidate.amended is not None else find_breach(MEASURE, candidate)


ORDER_RATE = Check(
    name="order rate",
    codes={
        RefusalCode.ORDER_RATE_EXCEEDED: "A scope around the order would have placed more in a minute than its limit.",
        RefusalCode.LOAD_UNKNOWN: LOAD_UNKNOWN,
    },
    find=find_too_many_lately,
    binds_reducing=False,
)
