"""Gross exposure: what a scope holds in money, whichever way, with all that its working orders may add."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.checks.overload import LOAD_UNKNOWN, find_breach
from apps.risk.overload import GROSS
from moondev.domain.decisions import RefusalCode


def find_gross_exposure(candidate: Candidate) -> Breach | None:
    """Return a breach when a scope's gross exposure would exceed its limit."""
    return find_breach(GROSS, candidate)


GROSS_EXPOSURE = Check(
    name="gross exposure",
    codes={
        RefusalCode.GROSS_EXPOSURE_EXCEEDED: "A scope around the order would hold more, whichever way, than its limit.",
        RefusalCode.LOAD_UNKNOWN: LOAD_UNKNOWN,
    },
    find=find_gross_exposure,
    binds_reducing=False,
)
