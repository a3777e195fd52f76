"""Whether the end of the audit trail is whole. ``audit verify`` reads all of it; this reads what came lately."""

from __future__ import annotations

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, YES, Measured, Readings, scope
from apps.monitor.audit.verify import recent_flaws

LATELY = 500


def audit_broken(_look: Look) -> Readings:
    """Return 1 when one of the latest entries was altered, moved or removed."""
    flaws = recent_flaws(LATELY)
    words = "; ".join(f"entry {flaw.seq} {flaw.words}" for flaw in flaws[:3])
    return {scope("trail", "audit"): Measured(YES if flaws else NO, words)}
