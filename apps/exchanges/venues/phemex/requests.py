"""What we ask of Phemex, as the fields of its requests. Pure.

https://phemex-docs.github.io/#place-order-http-post-2. Traps of the unified client are kept away from here: a maker
is made by the time in force alone, never by a field called postOnly; a stop is an order of its own with `stopPxRp`,
never a stop attached to a market order (`stopLossRp`), which would trade at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.ports import Amendment
from apps.exchanges.venues.phemex.config import CAPABILITIES
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Side

Fields = dict[str, str | bool]

# One-way mode: one position per symbol, long or short.
POSITION_SIDE = "Merged"
TRIGGER_SOURCE = "ByMarkPrice"
# A market order is a limit at its worst price that takes what it finds at once: the venue's own has no such bound.
_TYPES: Mapping[OrderType, str] = MappingProxyType(
    {
        OrderType.MARKET: "Limit",
        OrderType.LIMIT: "Limit",
        OrderType.STOP: "Stop",
        OrderType.STOP_LIMIT: "StopLimit",
        OrderType.TAKE_PROFIT: "MarketIfTouched",
        OrderType.TAKE_PROFIT_LIMIT: "LimitIfTouched",
    }
)
_TIMES: Mapping[TimeInForce, str] = MappingProxyType(
    {
        TimeInForce.GTC: "GoodTillCancel",
        TimeInForce.IOC: "ImmediateOrCancel",
        TimeInForce.FOK: "FillOrKill",
        TimeInForce.POST_ONLY: "PostOnly",
    }
)
_AT_MARKET = frozenset({OrderType.STOP, OrderType.TAKE_PROFIT})


def place(order: PlaceOrder, symbol: str) -> Fields:
    """Return the body of a new order. Raises InvalidValue for what the venue does not do."""
    CAPABILITIES.require_native(order.order_type, order.time_in_force)
    fields: Fields = {
        "symbol": symbol,
        "clOrdID": str(order.client_order_id),
        "side": side_word(order.side),
        "posSide": POSITION_SIDE,
        "ordType": _TYPES[order.order_type],
        "orderQtyRq": f"{order.quantity.value:f}",
        "reduceOnly": order.reduce_only,
        "timeInForce": _time_in_force(order),
    }
    if order.order_type not in _AT_MARKET:
        fields["priceRp"] = f"{order.price.value:f}"
    if order.trigger_price is not None:
        fields |= {"stopPxRp": f"{order.trigger_price.value:f}", "triggerType": TRIGGER_SOURCE}
    return fields


def amend(amendment: Amendment, symbol: str) -> Fields:
    """Return the query of a change. The venue wants the whole size, filled part included.

    Fills that came since count against the same whole, so the order never grows.
    """
    order = amendment.approved.request
    whole = order.filled_when_planned.value + order.remaining.value
    fields: Fields = {
        "symbol": symbol,
        "origClOrdID": str(order.client_order_id),
        "posSide": POSITION_SIDE,
        "orderQtyRq": f"{whole:f}",
    }
    if amendment.order_type not in _AT_MARKET:
        fields["priceRp"] = f"{order.price.value:f}"
    if amendment.trigger_price is not None:
        fields["stopPxRp"] = f"{amendment.trigger_price.value:f}"
    return fields


def cancel(symbol: str, *, client_order_id: str = "", order_id: str = "") -> Fields:
    """Return the query of a cancel, by either name. Raises InvalidValue without one."""
    if bool(client_order_id) == bool(order_id):
        raise InvalidValue("order", (client_order_id, order_id), "one of its two names")
    name: Fields = {"clOrdID": client_order_id} if client_order_id else {"orderID": order_id}
    return {"symbol": symbol, "posSide": POSITION_SIDE, **name}


def side_word(side: Side) -> str:
    """Return what the venue calls a side."""
    return "Buy" if side is Side.BUY else "Sell"


def _time_in_force(order: PlaceOrder) -> str:
    if order.order_type is OrderType.MARKET:
        return _TIMES[TimeInForce.FOK if order.time_in_force is TimeInForce.FOK else TimeInForce.IOC]
    if order.order_type is OrderType.LIMIT:
        return _TIMES[order.time_in_force]
    # Once released, a stop at the market takes what it finds, and a stop-limit rests.
    return _TIMES[TimeInForce.IOC if order.order_type in _AT_MARKET else TimeInForce.GTC]
