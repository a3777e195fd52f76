"""Breakers that have tripped."""

from __future__ import annotations

from decimal import Decimal

from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, YES, Measured, Readings, scope
from apps.risk.models import BreakerState

_HALF = Decimal("0.5")
_MODES = {"closed": NO, "half_open": _HALF, "open": YES}


def breaker_open(_look: Look) -> Readings:
    """Return 1 for a breaker that is open in a scope, 0.5 while it is half open."""
    rows = BreakerState.objects.filter(breaker__enabled=True).select_related("breaker")
    return {
        scope("breaker", f"{row.breaker.code}/{row.scope_kind}:{row.scope_key}"): Measured(
            _MODES.get(row.mode),
            f"{row.breaker.code} {row.mode} since {row.since:%F %T} UTC",
            (f"{row.scope_kind}:{row.scope_key}",),
        )
        for row in rows
    }
