"""Requests of the domain as Hyperliquid actions. The order of the keys is part of the signature.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/exchange-endpoint
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.exchanges.ports import Amendment, LiveOrder, MarginMode
from apps.exchanges.venues.hyperliquid.signing import decimal_to_wire
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import CancelOrder, OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Price, Side

Action = dict[str, Any]

_TIME_IN_FORCE = {TimeInForce.GTC: "Gtc", TimeInForce.IOC: "Ioc", TimeInForce.POST_ONLY: "Alo"}
_TRIGGERS = {
    OrderType.STOP: "sl",
    OrderType.STOP_LIMIT: "sl",
    OrderType.TAKE_PROFIT: "tp",
    OrderType.TAKE_PROFIT_LIMIT: "tp",
}
_AT_THE_MARKET = frozenset({OrderType.STOP, OrderType.TAKE_PROFIT})


def cloid(client_order_id: UUID) -> str:
    """Return the client order id as the venue writes it: 0x and 32 hex digits."""
    return f"0x{client_order_id.hex}"


def place(orders: Sequence[tuple[int, PlaceOrder]]) -> Action:
    """Return the action that places `orders`, given as (asset, order), independent of each other."""
    return {"type": "order", "orders": [_placed(asset, order) for asset, order in orders], "grouping": "na"}


def amend(amendments: Sequence[tuple[int, Amendment]]) -> Action:
    """Return the action that changes resting orders, found by their client order ids."""
    return {"type": "batchModify", "modifies": [_amended(asset, amendment) for asset, amendment in amendments]}


def cancel(orders: Sequence[tuple[int, CancelOrder]]) -> Action:
    """Return the action that cancels by client order id."""
    cancels = [{"asset": asset, "cloid": cloid(order.client_order_id)} for asset, order in orders]
    return {"type": "cancelByCloid", "cancels": cancels}


def cancel_resting(orders: Sequence[tuple[int, LiveOrder]]) -> Action:
    """Return the action that cancels by the venue's own order id."""
    return {"type": "cancel", "cancels": [{"a": asset, "o": int(order.venue_order_id)} for asset, order in orders]}


def set_leverage(asset: int, leverage: int, margin_mode: MarginMode) -> Action:
    """Return the action that sets the leverage of one asset."""
    is_cross = margin_mode is MarginMode.CROSS
    return {"type": "updateLeverage", "asset": asset, "isCross": is_cross, "leverage": leverage}


def schedule_cancel(at: datetime | None) -> Action:
    """Return the action that arms (or, without a time, disarms) the cancel of everything."""
    return {"type": "scheduleCancel"} if at is None else {"type": "scheduleCancel", "time": milliseconds(at)}


def _placed(asset: int, order: PlaceOrder) -> Action:
    kind = _kind(order.order_type, order.time_in_force, order.trigger_price)
    return {
        "a": asset,
        "b": order.side is Side.BUY,
        "p": decimal_to_wire("price", order.price.value),
        "s": decimal_to_wire("quantity", order.quantity.value),
        "r": order.reduce_only,
        "t": kind,
        "c": cloid(order.client_order_id),
    }


def _amended(asset: int, amendment: Amendment) -> Action:
    request = amendment.approved.request
    name = cloid(request.client_order_id)
    kind = _kind(amendment.order_type, amendment.time_in_force, amendment.trigger_price)
    order = {
        "a": asset,
        "b": amendment.side is Side.BUY,
        "p": decimal_to_wire("price", request.price.value),
        "s": decimal_to_wire("remaining", request.remaining.value),
        "r": amendment.reduce_only,
        "t": kind,
        # The venue replaces the order; a client order id that is not repeated is lost.
        "c": name,
    }
    return {"oid": name, "order": order}


def _kind(order_type: OrderType, time_in_force: TimeInForce, trigger_price: Price | None) -> Action:
    if order_type is OrderType.MARKET:
        # The venue has no market order: it is a limit at the worst acceptable price that cannot rest.
        return {"limit": {"tif": "Ioc"}}
    if order_type is OrderType.LIMIT:
        return {"limit": {"tif": _TIME_IN_FORCE[time_in_force]}}
    if trigger_price is None:
        raise InvalidValue("trigger_price", None, f"a price for a {order_type} order")
    trigger = decimal_to_wire("trigger_price", trigger_price.value)
    at_the_market = order_type in _AT_THE_MARKET
    return {"trigger": {"isMarket": at_the_market, "triggerPx": trigger, "tpsl": _TRIGGERS[order_type]}}
