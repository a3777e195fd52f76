"""How much is at risk right now, for people: reads the counters that the review keeps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.models import ExposureCounter, ScopeKind


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure of one scope in one asset ('*': all of them), in the portfolio's currency."""

    scope_kind: str
    scope_key: str
    asset: str
    used: Decimal


def portfolio_exposures(portfolio: str) -> list[Exposure]:
    """Return the portfolio's exposure per asset and in all, largest first."""
    rows = ExposureCounter.objects.filter(scope_kind=ScopeKind.PORTFOLIO, scope_key=portfolio, used__gt=0)
    return [
        Exposure(kind, key, asset, used)
        for kind, key, asset, used in rows.order_by("-used", "asset").values_list(
            "scope_kind", "scope_key", "asset", "used"
        )
    ]
