"""Our requests in the engine's words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from apps.exchanges.mock.engine.api import NewOrder, OrderSnapshot, Tif, TpSl, Trigger
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Side

_TIFS: Mapping[TimeInForce, Tif] = MappingProxyType(
    {
        TimeInForce.GTC: Tif.GTC,
        TimeInForce.IOC: Tif.IOC,
        TimeInForce.FOK: Tif.FOK,
        TimeInForce.POST_ONLY: Tif.ALO,
    }
)
_TRIGGERS: Mapping[OrderType, tuple[bool, TpSl]] = MappingProxyType(
    {
        OrderType.STOP: (True, TpSl.SL),
        OrderType.STOP_LIMIT: (False, TpSl.SL),
        OrderType.TAKE_PROFIT: (True, TpSl.TP),
        OrderType.TAKE_PROFIT_LIMIT: (False, TpSl.TP),
    }
)


def in_engine_words(request: PlaceOrder) -> NewOrder:
    """Return the order. Raises InvalidValue for a trailing stop and a bracket, which no strategy's planner writes."""
    if request.stop is not None or request.take_profit is not None:
        raise InvalidValue("stop", f"{request.stop}, {request.take_profit}", "protective orders of their own")
    trigger = None
    if request.order_type.triggered:
        if request.order_type not in _TRIGGERS or request.trigger_price is None:
            raise InvalidValue("order_type", request.order_type.value, "any but a trailing stop in a quote backtest")
        is_market, kind = _TRIGGERS[request.order_type]
        trigger = Trigger(is_market, request.trigger_price.value, kind)
    return NewOrder(
        coin=request.instrument,
        is_buy=request.side is Side.BUY,
        size=request.quantity.value,
        price=request.price.value,
        tif=Tif.IOC if request.order_type is OrderType.MARKET else _TIFS[request.time_in_force],
        reduce_only=request.reduce_only,
        trigger=trigger,
        cloid=cloid_of(request.client_order_id),
    )


def cloid_of(client_order_id: UUID) -> str:
    """Return an order's name at the engine."""
    return client_order_id.hex


def rises(order: OrderSnapshot) -> bool:
    """Return whether a waiting order's trigger lies above the market: the stop of a short, the profit of a long."""
    return order.trigger is not None and order.is_buy is (order.trigger.tpsl is TpSl.SL)
