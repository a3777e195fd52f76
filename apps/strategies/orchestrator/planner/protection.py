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
    """Place new orders first, cancel the old ones only once the new ones rest: one order, or the parts of it."""
    if level is None:
        return desk.cancels(ours, "no longer wanted")
    size = floored(abs(desk.at.position.value), desk.at.instrument)
    if not size:
        return []
    trigger = desk.trigger(side, level)
    kept, missing = _matched(desk.parts(kind.value, size), ours, trigger, desk)
    if not missing and all(order.status in RESTING for order in kept):
        return desk.cancels(tuple(order for order in ours if order not in kept), "replaced")
    if not missing or any(order.status in IN_FLIGHT for order in ours):
        return []
    return [desk.protect(name, kind, side, part, trigger, signal_id) for name, part in missing]


def _matched(
    parts: list[tuple[str, Decimal]], ours: tuple[WorkingOrder, ...], trigger: Price, desk: Desk
) -> tuple[list[WorkingOrder], list[tuple[str, Decimal]]]:
    """Return an order of ours for every part that has one, those that rest first, and the parts that have none."""
    left = sorted(ours, key=lambda order: order.status not in RESTING)
    kept: list[WorkingOrder] = []
    missing: list[tuple[str, Decimal]] = []
    for name, size in parts:
        order = next((one for one in left if _fits(one, size, trigger, desk)), None)
        if order is None:
            missing.append((name, size))
            continue
        left.remove(order)
        kept.append(order)
    return kept, missing


def _fits(order: WorkingOrder, size: Decimal, trigger: Price, desk: Desk) -> bool:
    if order.status is OrderStatus.CANCELLING or order.remaining.value != size or order.trigger_price is None:
        return False
    return order.trigger_price.distance_bps(trigger) <= desk.rules.reprice_bps
