"""Our requests in the engine's words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from apps.exchanges.mock.engine.api import NewOrder, OrderSnapshot, Tif, TpSl, Trigger
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import PriceGrid, Rounding
from moondev.domain.orders import OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Bps, Price, Side

# A leg has to get out: its limit lies this far beyond its trigger, as the planner's protective orders do.
_LEG_SLIPPAGE = Bps(Decimal(300))

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


def in_engine_words(request: PlaceOrder, grid: PriceGrid) -> list[NewOrder]:
    """Return the order, followed by the legs of its bracket. Raises InvalidValue for a trailing stop."""
    trigger = None
    if request.order_type.triggered:
        if request.order_type not in _TRIGGERS or request.trigger_price is None:
            raise InvalidValue("order_type", request.order_type.value, "any but a trailing stop in a quote backtest")
        is_market, kind = _TRIGGERS[request.order_type]
        trigger = Trigger(is_market, request.trigger_price.value, kind)
    parent = NewOrder(
        coin=request.instrument,
        is_buy=request.side is Side.BUY,
        size=request.quantity.value,
        price=request.price.value,
        tif=Tif.IOC if request.order_type is OrderType.MARKET else _TIFS[request.time_in_force],
        reduce_only=request.reduce_only,
        trigger=trigger,
        cloid=cloid_of(request.client_order_id),
    )
    legs = ((request.stop, TpSl.SL), (request.take_profit, TpSl.TP))
    return [parent, *(_leg(request, price, kind, grid) for price, kind in legs if price is not None)]


def cloid_of(client_order_id: UUID) -> str:
    """Return an order's name at the engine."""
    return client_order_id.hex


def _leg(request: PlaceOrder, trigger: Price, kind: TpSl, grid: PriceGrid) -> NewOrder:
    side = Side.SELL if request.side is Side.BUY else Side.BUY
    worst = trigger.moved(Bps(_LEG_SLIPPAGE.value * side.sign))
    return NewOrder(
        coin=request.instrument,
        is_buy=side is Side.BUY,
        size=request.quantity.value,
        price=grid.rounded(worst.value, Rounding.aggressive(side)).value,
        reduce_only=True,
        trigger=Trigger(True, trigger.value, kind),
        cloid=f"{cloid_of(request.client_order_id)}-{kind.value}",
    )


def rises(order: OrderSnapshot) -> bool:
    """Return whether a waiting order's trigger lies above the market: the stop of a short, the profit of a long."""
    return order.trigger is not None and order.is_buy is (order.trigger.tpsl is TpSl.SL)
