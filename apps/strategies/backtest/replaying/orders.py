"""An order as it stands in the replayed market."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from moondev.domain.orders import (
    AmendOrder,
    OrderStatus,
    OrderType,
    PlaceOrder,
    TimeInForce,
    WorkingOrder,
)
from moondev.domain.values import ZERO, Quantity

# What the planner writes; the matcher knows no other.
MATCHED = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT})


@dataclass(slots=True)
class Standing:
    """One order of ours with its numbers as floats.

    `level` is where it trades: a trigger, or a limit; for a market order the worst price. `arrived` is the step of
    the replay at which it came to rest, None while it is on its way.
    """

    order: WorkingOrder
    reason: str
    sign: int
    level: float
    arrived: int | None = None

    @property
    def falls(self) -> bool:
        """Return whether the market comes down to it: buying below the price, or stopping a long."""
        return (self.sign > 0) != (self.order.order_type is OrderType.STOP)

    @property
    def immediate(self) -> bool:
        """Return whether nothing of it may rest."""
        return self.order.time_in_force.immediate

    @property
    def post_only(self) -> bool:
        """Return whether it may only make."""
        return self.order.time_in_force is TimeInForce.POST_ONLY

    def rests(self, step: int) -> None:
        """Note that it rests from `step` on."""
        self.arrived = step
        self.order = replace(self.order, status=OrderStatus.OPEN)

    def amended(self, request: AmendOrder) -> None:
        """Change it; at its new price it has to arrive anew."""
        quantity = Quantity(self.order.filled.value + request.remaining.value)
        self.order = replace(self.order, quantity=quantity, price=request.price)
        self.level = float(request.price.value)
        self.arrived = None

    def fillable(self, position: Decimal) -> Decimal:
        """Return how much of it may fill while `position` is held: what only reduces never opens."""
        wanted = self.order.remaining.value
        if not self.order.purpose.reduces:
            return wanted
        return min(wanted, abs(position)) if position * self.sign < 0 else ZERO


def standing(placed: PlaceOrder, reason: str) -> Standing:
    """Return the order just placed, on its way to the market."""
    order = WorkingOrder(
        client_order_id=placed.client_order_id,
        instrument=placed.instrument,
        side=placed.side,
        order_type=placed.order_type,
        time_in_force=placed.time_in_force,
        quantity=placed.quantity,
        filled=Quantity(ZERO),
        price=placed.price,
        trigger_price=placed.trigger_price,
        status=OrderStatus.APPROVED,
        purpose=placed.purpose,
        signal_id=placed.signal_id,
    )
    level = placed.price if placed.trigger_price is None else placed.trigger_price
    return Standing(order, reason, placed.side.sign, float(level.value))
