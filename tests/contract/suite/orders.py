"""Orders for the suite: far from the market, through it, or waiting for a trigger, on every venue's grid."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from apps.exchanges.ports import Amendment
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import AmendOrder, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Bps, Price, Quantity, Side

LOT = "0.01"
FAR_BELOW, FAR_ABOVE = 45_000, 55_000


def price(number: int) -> Price:
    """Return a price."""
    return Price(Decimal(number))


def size(text: str) -> Quantity:
    """Return a quantity."""
    return Quantity(Decimal(text))


def limit(
    instrument: str,
    side: Side = Side.BUY,
    at: int = 49_000,
    quantity: str = LOT,
    tif: TimeInForce = TimeInForce.GTC,
    purpose: Purpose = Purpose.OPENING,
) -> PlaceOrder:
    """Return a limit order."""
    return _order(instrument, side, OrderType.LIMIT, tif, at, quantity, purpose)


def market(
    instrument: str, side: Side, quantity: str = LOT, purpose: Purpose = Purpose.OPENING, worst: int | None = None
) -> PlaceOrder:
    """Return a market order that accepts two per cent."""
    at = worst or (51_000 if side is Side.BUY else 49_000)
    return _order(instrument, side, OrderType.MARKET, TimeInForce.IOC, at, quantity, purpose)


def protection(instrument: str, kind: OrderType, quantity: str = LOT) -> PlaceOrder:
    """Return an order of a triggered kind that closes a long position: stops below the market, profit above."""
    loses = kind in {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP}
    trigger = FAR_BELOW if loses else FAR_ABOVE
    at_market = kind not in {OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT}
    # A limit that rests once it is released; a market order that accepts what the book bids.
    worst = (trigger - 500 if loses else 49_000) if at_market else 52_000
    trail = Bps(Decimal(1_000)) if kind is OrderType.TRAILING_STOP else None
    return _order(
        instrument, Side.SELL, kind, TimeInForce.GTC, worst, quantity, Purpose.PROTECTIVE, price(trigger), trail
    )


def amendment(order: PlaceOrder, at: int, remaining: str = LOT) -> Amendment:
    """Return the change of a resting order of which nothing was filled."""
    request = AmendOrder(order.client_order_id, order.instrument, size(remaining), price(at), size("0"))
    kind = order.order_type, order.time_in_force, order.reduce_only
    return Amendment(RiskApproved(request), order.side, *kind, order.trigger_price)


def _order(
    instrument: str,
    side: Side,
    order_type: OrderType,
    tif: TimeInForce,
    at: int,
    quantity: str,
    purpose: Purpose,
    trigger: Price | None = None,
    trail: Bps | None = None,
) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument=instrument,
        side=side,
        order_type=order_type,
        time_in_force=tif,
        quantity=size(quantity),
        price=price(at),
        purpose=purpose,
        signal_id="suite",
        leg="1",
        trigger_price=trigger,
        trail=trail,
    )
