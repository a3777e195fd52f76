"""Stops and take-profits: planned from the position, so they fit whatever has filled."""

from __future__ import annotations

from decimal import Decimal

from apps.strategies.orchestrator.planner.desk import Desk
from apps.strategies.orchestrator.planner.situation import IN_FLIGHT, SizedTarget, floored
from apps.strategies.orchestrator.planner.targets import stop_passed
from moondev.domain.orders import RESTING, OrderRequest, OrderStatus, OrderType, WorkingOrder
from moondev.domain.values import Price, Side


def plan_protection(sized: SizedTarget, desk: Desk) -> list[OrderRequest]:
    """Return what makes the protective orders fit the position.

    While the position is on its way out (the target is flat, opposite, or beyond its stop) the
    orders that protect it stay; once it is flat they go.
    """
    at, target = desk.at, sized.target
    if not at.position:
        return desk.cancels(at.protective, "no position to protect")
    exit_side = at.position.side.opposite
    requests = desk.cancels(tuple(o for o in at.protective if o.side is not exit_side), "protects the other side")
    if sized.quantity.value * at.position.value <= 0 or stop_passed(target, at):
        return requests
    for kind, level in ((OrderType.STOP, target.stop), (OrderType.TAKE_PROFIT, target.take_profit)):
        ours = tuple(o for o in at.protective if o.side is exit_side and o.order_type is kind)
        requests += _plan_one(desk, kind, exit_side, level, ours, target.signal_id)
    return requests


def _plan_one(
    desk: Desk, kind: OrderType, side: Side, level: Price | None, ours: tuple[WorkingOrder, ...], signal_id: str
) -> list[OrderRequest]:
    """Place the new order first; cancel the old ones only once the new one rests."""
    if level is None:
        return desk.cancels(ours, "no longer wanted")
    size = floored(abs(desk.at.position.value), desk.at.instrument)
    trigger = desk.trigger(side, level)
    fitting = [order for order in ours if _fits(order, size, trigger, desk)]
    rests = next((order for order in fitting if order.status in RESTING), None)
    if rests is not None:
        return desk.cancels(tuple(order for order in ours if order is not rests), "replaced")
    if fitting or any(order.status in IN_FLIGHT for order in ours):
        return []
    return [desk.protect(kind, side, size, trigger, signal_id)] if size else []


def _fits(order: WorkingOrder, size: Decimal, trigger: Price, desk: Desk) -> bool:
    if order.status is OrderStatus.CANCELLING or order.remaining.value != size or order.trigger_price is None:
        return False
    return order.trigger_price.distance_bps(trigger) <= desk.rules.reprice_bps
