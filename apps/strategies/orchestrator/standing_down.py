"""Takes back what was sent to open while a strategy still might: refusing more would leave it resting, and filling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from apps.strategies.orchestrator.planner import Plan
from apps.strategies.orchestrator.planner.situation import CANCELLABLE
from moondev.domain.orders import AmendOrder, CancelOrder, Purpose, WorkingOrder

REASON = "its stage forbids to open"


def stood_down(made: Plan, working: Iterable[WorkingOrder]) -> Plan:
    """Return the plan of a strategy that may only reduce: every order of `working` that opens is cancelled first."""
    ended = {request.client_order_id for request in made.requests if isinstance(request, CancelOrder)}
    opening = [order for order in working if order.purpose is Purpose.OPENING and order.status in CANCELLABLE]
    taken_back = {order.client_order_id: order for order in opening if order.client_order_id not in ended}
    cancels = [CancelOrder(key, order.instrument, REASON) for key, order in taken_back.items()]
    kept = [one for one in made.requests if not (isinstance(one, AmendOrder) and one.client_order_id in taken_back)]
    return replace(made, requests=(*cancels, *kept))
