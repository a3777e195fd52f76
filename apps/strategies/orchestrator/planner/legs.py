"""Targets that only make sense together: all, or none once the gap has passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from apps.strategies.orchestrator.planner.situation import Situation, SizedLegs, SizedTarget, tolerance
from moondev.domain.values import ZERO, SignedQuantity


def legs_to_plan(
    legs: SizedLegs, situations: Mapping[str, Situation], now: datetime
) -> tuple[tuple[SizedTarget, ...], str]:
    """Return the targets to plan for `legs`, and a note when they are being undone.

    The gap counts from the moment the youngest leg got its size: from then on every leg has
    `max_leg_gap_ms` to fill. One that has not leaves the others as a naked risk, so all go flat.
    """
    waited = now - max(leg.since for leg in legs.legs)
    missing = [leg.target.instrument for leg in legs.legs if not _filled(leg, situations[leg.target.instrument])]
    if not missing or waited <= timedelta(milliseconds=legs.max_leg_gap_ms):
        return legs.legs, ""
    return tuple(_flat(leg) for leg in legs.legs), f"legs undone: {', '.join(missing)} not filled in time"


def _filled(leg: SizedTarget, at: Situation) -> bool:
    price = at.mid if at.mid is not None else leg.target.entry
    if price is None:
        return at.position == leg.quantity
    missing = abs(leg.quantity.value - at.position.value)
    return missing <= tolerance(leg.quantity.value, price, at.instrument)


def _flat(leg: SizedTarget) -> SizedTarget:
    """Return the leg as an exit at the market; its stop stays until the position is gone."""
    return replace(leg, target=replace(leg.target, weight=0.0, entry=None), quantity=SignedQuantity(ZERO))
