"""Which scopes trade at a part of their size because a breaker around them is half open."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.execution.nudges import EVERYTHING
from apps.risk.breakers.machine import Mode
from apps.risk.models import BreakerState
from apps.risk.scope import ScopeId


def read_half_open() -> dict[ScopeId, Decimal]:
    """Return the smallest share of each scope in which a breaker is half open; one query."""
    rows = BreakerState.objects.filter(mode=Mode.HALF_OPEN, breaker__enabled=True).values_list(
        "scope_kind", "scope_key", "breaker__everywhere", "breaker__half_open_share"
    )
    found: dict[ScopeId, Decimal] = {}
    for kind, key, everywhere, share in rows:
        scope = EVERYTHING if everywhere else (kind, key)
        found[scope] = min(found.get(scope, share), share)
    return found
