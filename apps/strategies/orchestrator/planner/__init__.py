"""Diffs what a strategy wants with what is, and says what to ask of the venue. Pure.

Whatever is non-final counts with its whole unfilled quantity, so planning twice asks once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.strategies.orchestrator.planner.desk import Desk
from apps.strategies.orchestrator.planner.legs import legs_to_plan
from apps.strategies.orchestrator.planner.protection import plan_protection
from apps.strategies.orchestrator.planner.quotes import plan_quotes, too_small
from apps.strategies.orchestrator.planner.situation import (
    Rules,
    Situation,
    SizedDesired,
    SizedLegs,
    SizedTarget,
)
from apps.strategies.orchestrator.planner.targets import plan_target, stop_passed
from moondev.domain.desired import Quotes
from moondev.domain.orders import AmendOrder, CancelOrder, OrderRequest, WorkingOrder

__all__ = ["Plan", "Rules", "Situation", "SizedDesired", "SizedLegs", "SizedTarget", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Requests in the order in which they may be sent, and remarks for the operator."""

    requests: tuple[OrderRequest, ...]
    notes: tuple[str, ...] = ()


def plan(desired: Sequence[SizedDesired], situations: Mapping[str, Situation], rules: Rules, now: datetime) -> Plan:
    """Return the requests that lead from `situations` (by instrument key) to `desired`.

    An instrument that `desired` does not name is left as it is.
    """
    requests: list[OrderRequest] = []
    notes: list[str] = []
    for wish in desired:
        if isinstance(wish, Quotes):
            desk = Desk(situations[wish.instrument], rules)
            requests += plan_quotes(wish, desk)
            notes += too_small(wish, desk)
            continue
        targets, note = legs_to_plan(wish, situations, now) if isinstance(wish, SizedLegs) else ((wish,), "")
        notes += [note] if note else []
        for sized in targets:
            requests += _plan_sized(sized, Desk(situations[sized.target.instrument], rules), notes)
    working = {order.client_order_id: order for at in situations.values() for order in at.working}
    return Plan(tuple(sorted(requests, key=lambda request: _turn(request, working))), tuple(notes))


def _plan_sized(sized: SizedTarget, desk: Desk, notes: list[str]) -> list[OrderRequest]:
    if desk.at.uncertain:
        notes.append(f"{sized.target.instrument}: an order is UNKNOWN, nothing is opened")
    if stop_passed(sized.target, desk.at):
        notes.append(f"{sized.target.instrument}: the market is beyond the stop {sized.target.stop}")
    return plan_target(sized, desk) + plan_protection(sized, desk)


def _turn(request: OrderRequest, working: Mapping[UUID, WorkingOrder]) -> int:
    """Return the place of a request: cancels, retreats, exits, advances, and last what opens.

    A price that moves away from the market goes before one that moves up to where it stood, else a ladder that
    follows the market would trade with itself.
    """
    if isinstance(request, CancelOrder):
        return 0
    if isinstance(request, AmendOrder):
        order = working[request.client_order_id]
        advance = (request.price.value - order.price.value) * order.side.sign
        return 3 if advance > 0 else 1
    return 2 if request.purpose.reduces else 4
