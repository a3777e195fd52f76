"""Our requests in Bybit's words: the bodies of create, amend and cancel. Pure.

https://bybit-exchange.github.io/docs/v5/order/create-order
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, TypeAlias

from apps.exchanges.ports import Amendment, LiveOrder, UnreadOrder
from apps.exchanges.venues.bybit.config import CATEGORY
from apps.exchanges.venues.bybit.fields import side_word
from moondev.domain.orders import CancelOrder, OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Side

Body: TypeAlias = dict[str, Any]

_TIMES = MappingProxyType(
    {
        TimeInForce.GTC: "GTC",
        TimeInForce.IOC: "IOC",
        TimeInForce.FOK: "FOK",
        TimeInForce.POST_ONLY: "PostOnly",
    }
)
_AT_MARKET = frozenset({OrderType.STOP, OrderType.TAKE_PROFIT})
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_RISES, _FALLS = 1, 2


def place(order: PlaceOrder, symbol: str) -> Body:
    """Return the body of one new order."""
    body: Body = {
        "category": CATEGORY,
        "symbol": symbol,
        "side": side_word(order.side),
        "qty": f"{order.quantity.value:f}",
        # The venue knows our id by this name alone; 36 characters are the most it takes.
        "orderLinkId": str(order.client_order_id),
        "reduceOnly": order.reduce_only,
        "positionIdx": 0,
    }
    if order.order_type in _AT_MARKET:
        return body | {"orderType": "Market"} | _trigger(order)
    body |= {"orderType": "Limit", "price": str(order.price), "timeInForce": _time_in_force(order)}
    return body | _trigger(order) if order.order_type.triggered else body


def amend(item: Amendment, symbol: str) -> Body:
    """Return the body of one change in place. The venue is told the whole size, what was filled before included."""
    request = item.approved.request
    size = request.filled_when_planned.value + request.remaining.value
    body: Body = {
        "category": CATEGORY,
        "symbol": symbol,
        "orderLinkId": str(request.client_order_id),
        "qty": f"{size:f}",
    }
    if item.order_type not in _AT_MARKET:
        body["price"] = str(request.price)
    if item.trigger_price is not None:
        body["triggerPrice"] = str(item.trigger_price)
    return body


def cancel(order: CancelOrder, symbol: str) -> Body:
    """Return the body of a cancel by our id.

    Not `clientOrderId`, the word ccxt passes on as it is: the venue does not know it.
    """
    return {"category": CATEGORY, "symbol": symbol, "orderLinkId": str(order.client_order_id)}


def cancel_resting(order: LiveOrder) -> Body | None:
    """Return the body of a cancel by the venue's id (ours, where that could not be read); None: it has no name."""
    if not order.symbol:
        return None
    body: Body = {"category": CATEGORY, "symbol": order.symbol}
    if order.venue_order_id:
        return body | {"orderId": order.venue_order_id}
    if isinstance(order, UnreadOrder) and order.client_order_id is not None:
        return body | {"orderLinkId": str(order.client_order_id)}
    return None


def batch(bodies: list[Body]) -> Body:
    """Return the body of a request about several orders."""
    rows = [{name: value for name, value in body.items() if name != "category"} for body in bodies]
    return {"category": CATEGORY, "request": rows}


def _time_in_force(order: PlaceOrder) -> str:
    # The venue's market order knows no worst price. A limit that is immediate or cancelled does, and risk approved it.
    if order.order_type is OrderType.MARKET:
        return _TIMES[TimeInForce.FOK if order.time_in_force is TimeInForce.FOK else TimeInForce.IOC]
    # Once released, a triggered limit rests.
    return _TIMES[TimeInForce.GTC if order.order_type.triggered else order.time_in_force]


def _trigger(order: PlaceOrder) -> Body:
    loses = order.order_type in _STOPS
    rises = loses == (order.side is Side.BUY)
    return {
        "triggerPrice": str(order.trigger_price),
        "triggerDirection": _RISES if rises else _FALLS,
        "triggerBy": "MarkPrice",
    }
