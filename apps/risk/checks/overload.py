"""What the checks on loads have in common: the figure of every limited scope with the order, against its limit."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate
from apps.risk.overload import Measure, find_overload
from moondev.domain.decisions import RefusalCode


def find_breach(measure: Measure, candidate: Candidate) -> Breach | None:
    """Return the breach of the first limit that the candidate would exceed, the widest scope first.

    Loads that were not read are not known, and then nothing opens.
    """
    if candidate.facts.loads is None:
        bounds = candidate.facts.limits.of(measure.kind)
        limited = any(scope in bounds for scope in candidate.around)
        return Breach(RefusalCode.LOAD_UNKNOWN, measure.kind.value, "not known now") if limited else None
    over = find_overload(measure, candidate.facts, candidate.around, candidate.load_after, candidate.side)
    return None if over is None else Breach(over.code, over.allowed, over.found)


LOAD_UNKNOWN = "What the scope of a limit carries was not read; it is never taken for zero."
