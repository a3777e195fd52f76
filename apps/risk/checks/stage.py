"""Stage: with real money only what passed the gates opens; whoever holds something may always get out."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode


def find_forbidden_stage(candidate: Candidate) -> Breach | None:
    """Return a breach when the strategy may only reduce, with the reason that came down from the floor above."""
    reason = candidate.facts.scope.only_reduces
    return Breach(RefusalCode.STAGE_FORBIDS, "a version that passed its stage's gates", reason) if reason else None


STAGE = Check(
    name="stage",
    codes={RefusalCode.STAGE_FORBIDS: "The strategy's stage, or its version, has not passed the gates to this money."},
    find=find_forbidden_stage,
    binds_reducing=False,
)
