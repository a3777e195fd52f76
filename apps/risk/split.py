"""Cut an order at zero: what shrinks the position goes first, and only the rest opens."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import uuid5

from apps.risk.checks.reducing import reducible
from moondev.domain.instruments import Instrument
from moondev.domain.orders import PlaceOrder, Purpose
from moondev.domain.values import ZERO, Quantity


def split_at_zero(
    order: PlaceOrder, instrument: Instrument, held: Decimal, account_net: Decimal, live_exits: Decimal
) -> tuple[PlaceOrder, ...]:
    """Return the order as a reducing and an opening part, or whole when it lies on one side of zero.

    `live_exits` is the quantity of working exits of the same side: what they will close is not there to
    be closed again. A reducing part too small to be sent alone stays with the opening part.
    """
    if order.purpose is not Purpose.OPENING or order.trigger_price is not None:
        return (order,)
    closing = min(reducible(held, account_net, order.side) - live_exits, order.quantity.value)
    if closing <= ZERO:
        return (order,)
    if closing == order.quantity.value:
        return (replace(order, purpose=Purpose.REDUCING),)
    part = Quantity(closing)
    if not instrument.tradable(part, order.price) and closing < abs(held):
        return (order,)
    return (replace(order, quantity=part, purpose=Purpose.REDUCING), opening_part(order, part))


def opening_part(order: PlaceOrder, closing: Quantity) -> PlaceOrder:
    """Return what is left of `order` to open; its id follows from the whole's, however often it is cut."""
    leg = f"{order.leg}/open"
    return replace(
        order,
        client_order_id=uuid5(order.client_order_id, leg),
        quantity=order.quantity - closing,
        leg=leg,
    )
