"""From a target to requests: build, unwind or turn a position without ever counting anything twice."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from apps.strategies.orchestrator.planner.desk import Desk, Style
from apps.strategies.orchestrator.planner.situation import (
    MOVABLE,
    Situation,
    SizedTarget,
    floored,
    remaining,
    tolerance,
)
from moondev.domain.desired import Target
from moondev.domain.orders import OrderRequest, OrderType, Purpose, TimeInForce, WorkingOrder
from moondev.domain.values import BPS_IN_ONE, ZERO, Bps, Side


class Need(NamedTuple):
    """What has to trade on one side: first the part that closes, then the part that opens."""

    side: Side
    closing: Decimal
    opening: Decimal

    @property
    def total(self) -> Decimal:
        """Return both parts together."""
        return self.closing + self.opening


def plan_target(sized: SizedTarget, desk: Desk) -> list[OrderRequest]:
    """Return the requests that lead from the position to the target.

    Orders against the need are cancelled; orders along it count with their whole unfilled quantity,
    and only what they leave open is placed. Whatever else is on its way is waited for.
    """
    target, at = sized.target, desk.at
    passed = stop_passed(target, at)
    wanted = ZERO if passed else sized.quantity.value
    need = _need(wanted, at)
    if need is None:
        return desk.cancels(at.trading, "target reached")
    along = [order for order in at.trading if order.side is need.side]
    against = [order for order in at.trading if order.side is not need.side]
    style = _style(desk, need.side, None if passed else target)
    if style is None:
        return desk.cancels(against, "against the target")
    requests = desk.cancels(against, "against the target")
    requests += _fit(desk, along, need, style)
    if _worth_trading(sized, wanted, need, along, style, at):
        requests += _shortfall(desk, along, need, style, target)
    return requests


def stop_passed(target: Target, at: Situation) -> bool:
    """Return whether the market is beyond the target's own stop: then it means flat, not more."""
    if target.stop is None or at.mid is None or target.weight == 0:
        return False
    return at.mid <= target.stop if target.weight > 0 else at.mid >= target.stop


def edge_of(target: Target, at: Situation) -> Bps | None:
    """Return what the target is expected to make, before fees: as it states, or the way to its take-profit at most.

    The way is measured from the entry, or from the middle for who enters at the market; None when nothing is said.
    """
    start = target.entry or at.mid
    if target.edge is not None or target.take_profit is None or start is None:
        return target.edge
    side = 1 if target.weight > 0 else -1
    return Bps((target.take_profit.value / start.value - 1) * BPS_IN_ONE * side)


def _need(wanted: Decimal, at: Situation) -> Need | None:
    difference = wanted - at.position.value
    if difference == 0:
        return None
    side = Side.of(difference)
    closing = min(at.closable(side), abs(difference))
    lots = at.instrument
    need = Need(side, floored(closing, lots), floored(abs(difference) - closing, lots))
    return need if need.total else None


def _style(desk: Desk, side: Side, target: Target | None) -> Style | None:
    if target is None or target.entry is None:
        return desk.at_market(side)
    return desk.resting(side, target.entry, TimeInForce.GTC)


def _fit(desk: Desk, along: list[WorkingOrder], need: Need, style: Style) -> list[OrderRequest]:
    """Return what makes the working orders fit the need: not too much, and at the right price."""
    requests: list[OrderRequest] = []
    left = {Purpose.REDUCING: need.closing, Purpose.OPENING: need.opening}
    for order in along:
        keep = min(order.remaining.value, left[order.purpose])
        left[order.purpose] -= keep
        if order.order_type is not OrderType.LIMIT:
            continue
        if (request := _fit_one(desk, order, keep, style)) is not None:
            requests.append(request)
    return requests


def _fit_one(desk: Desk, order: WorkingOrder, keep: Decimal, style: Style) -> OrderRequest | None:
    if style.order_type is OrderType.MARKET:
        # It rests where it may never trade; once its cancel is confirmed the market order follows.
        return desk.cancel(order, "target is at the market now")
    moved = order.price.distance_bps(style.price) > desk.rules.reprice_bps
    if not moved and keep == order.remaining.value:
        return None
    if order.status not in MOVABLE and keep:
        return None
    return desk.shrink(order, keep, style.price if moved else order.price, "more than the target")


def _worth_trading(
    sized: SizedTarget, wanted: Decimal, need: Need, along: list[WorkingOrder], style: Style, at: Situation
) -> bool:
    """Return whether the open difference is more than what a fixed size leaves alone."""
    if sized.fresh or wanted == 0:
        return True
    price = at.mid if at.mid is not None else style.price
    return need.total - remaining(along) > tolerance(wanted, price, at.instrument)


def _shortfall(desk: Desk, along: list[WorkingOrder], need: Need, style: Style, target: Target) -> list[OrderRequest]:
    """Return the orders for what the working ones do not cover, the closing one first.

    What one purpose has too much of counts for the other until it is gone: nothing is doubled.
    """
    reducing = remaining([order for order in along if order.purpose.reduces])
    opening = remaining(along) - reducing
    closing_short = need.closing - reducing - max(ZERO, opening - need.opening)
    opening_short = need.opening - opening - max(ZERO, reducing - need.closing)
    if desk.at.uncertain:
        opening_short = ZERO
    shorts = (("close", closing_short, Purpose.REDUCING), ("open", opening_short, Purpose.OPENING))
    return [
        desk.place(name, need.side, part, style, purpose, target.signal_id, edge_of(target, desk.at))
        for leg, short, purpose in shorts
        if desk.accepted(quantity := floored(short, desk.at.instrument), style.price, purpose)
        for name, part in (desk.parts(leg, quantity) if style.order_type is OrderType.MARKET else [(leg, quantity)])
    ]
