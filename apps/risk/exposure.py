"""Reserve exposure, so that no two ticks on any machines can overrun one limit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.risk.facts import RiskFacts
from apps.risk.scope import StrategyScope
from moondev.domain.decisions import RiskApproved, RiskRefused
from moondev.domain.instruments import Instrument
from moondev.domain.orders import PlaceOrder


@dataclass(frozen=True, slots=True)
class ReserveItem:
    """One approved order that asks for exposure.

    `arrival_price` is the mid when it was planned: a sale may trade above its limit, so it reserves at
    the higher of both. None: at its own price.
    """

    scope: StrategyScope
    approved: RiskApproved[PlaceOrder]
    instrument: Instrument
    arrival_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """Which orders got their exposure, and how much of it in the quote currency; which did not."""

    kept: list[tuple[RiskApproved[PlaceOrder], Decimal]] = field(default_factory=list)
    refused: list[RiskRefused] = field(default_factory=list)


def reserve(items: Sequence[ReserveItem], facts: Mapping[str, RiskFacts]) -> Reserved:
    """Raise the exposure counters for as many of `items`, in order, as the limits allow."""
    raise NotImplementedError
