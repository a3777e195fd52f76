"""Net exposure: how far a scope may lean to one side, should every opening order of that side fill and no other."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.checks.overload import LOAD_UNKNOWN, find_breach
from apps.risk.overload import NET
from moondev.domain.decisions import RefusalCode


def find_net_exposure(candidate: Candidate) -> Breach | None:
    """Return a breach when a scope would lean farther to the order's side than its limit; the other side is not asked.

    So a scope beyond its limit may still be brought back by openings against it.
    """
    return find_breach(NET, candidate)


NET_EXPOSURE = Check(
    name="net exposure",
    codes={
        RefusalCode.NET_EXPOSURE_EXCEEDED: "A scope around the order would lean farther to its side than its limit.",
        RefusalCode.LOAD_UNKNOWN: LOAD_UNKNOWN,
    },
    find=find_net_exposure,
    binds_reducing=False,
)
