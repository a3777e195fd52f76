"""The gates and terms to begin with. What a person has changed since stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from apps.strategies.models import Gate, Requirement, Stage, StageTerms

_BEFORE_MONEY = {
    Requirement.CHECKS: None,
    Requirement.TRACKING_ERROR: Decimal("0.01"),
    Requirement.DRAWDOWN: Decimal("0.10"),
    Requirement.APPROVALS: Decimal(1),
}
GATES: Mapping[Stage, Mapping[Requirement, Decimal | None]] = MappingProxyType(
    {
        Stage.PAPER: {Requirement.CHECKS: None},
        Stage.LIMITED_LIVE: {**_BEFORE_MONEY, Requirement.DAYS: Decimal(14), Requirement.TRADES: Decimal(30)},
        Stage.LIVE: {**_BEFORE_MONEY, Requirement.DAYS: Decimal(30), Requirement.TRADES: Decimal(50)},
    }
)
# Share of the capital, and deviations behind the expected profit before it is taken down.
TERMS: Mapping[Stage, tuple[Decimal, Decimal | None]] = MappingProxyType(
    {
        Stage.RESEARCH: (Decimal(1), None),
        Stage.PAPER: (Decimal(1), None),
        Stage.LIMITED_LIVE: (Decimal("0.1"), Decimal(3)),
        Stage.LIVE: (Decimal(1), Decimal(3)),
    }
)


def seed() -> None:
    """Create what is missing; safe to run twice and at once."""
    for stage, asked in GATES.items():
        for requirement, threshold in asked.items():
            Gate.objects.get_or_create(stage=stage, requirement=requirement, defaults={"threshold": threshold})
    for stage, (share, band) in TERMS.items():
        StageTerms.objects.get_or_create(stage=stage, defaults={"capital_share": share, "band_deviations": band})
