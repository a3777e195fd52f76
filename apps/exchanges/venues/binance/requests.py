"""What we ask of Binance about orders, in its words. Pure: requests in, parameters out.

https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/New-Order and .../New-Algo-Order
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from apps.exchanges.ports import Amendment
from apps.exchanges.venues.binance.config import CAPABILITIES, LONGEST_WINDOW_MS
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue, NotSent
from moondev.domain.orders import OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Bps, Side

Words = dict[str, object]

TIMES: Mapping[TimeInForce, str] = MappingProxyType(
    {
        TimeInForce.GTC: "GTC",
        TimeInForce.IOC: "IOC",
        TimeInForce.FOK: "FOK",
        TimeInForce.POST_ONLY: "GTX",
    }
)
_CONDITIONAL: Mapping[OrderType, str] = MappingProxyType(
    {
        OrderType.STOP: "STOP_MARKET",
        OrderType.STOP_LIMIT: "STOP",
        OrderType.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
        OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
        OrderType.TRAILING_STOP: "TRAILING_STOP_MARKET",
    }
)
_WITH_PRICE = frozenset({OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
# The venue's callback rate: 0.1 to 10 per cent.
_TRAIL_BPS = (Decimal(10), Decimal(1_000))
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Window:
    """When a request was signed and how long after that the venue may still take it up, in milliseconds.

    The venue compares with its own clock when the request arrives, so what is delayed on the way is refused (-1021)
    and not carried out; what has arrived in time is beyond recall.
    """

    stamp_ms: int
    length_ms: int

    @classmethod
    def until(cls, expires_at: datetime, now: datetime) -> Window:
        """Return the window that closes at `expires_at`, at the latest the longest. Raises NotSent when it is past."""
        left = milliseconds(expires_at) - milliseconds(now)
        if left <= 0:
            raise NotSent(f"expired {-left} ms before it could be sent")
        return cls(milliseconds(now), min(left, LONGEST_WINDOW_MS))

    def words(self) -> Words:
        """Return the window as parameters."""
        return {"timestamp": self.stamp_ms, "recvWindow": self.length_ms}


def is_conditional(order: PlaceOrder) -> bool:
    """Return whether an order goes to the algo service: what waits for a trigger has ids and endpoints of its own."""
    return order.order_type.triggered


def require_possible(order: PlaceOrder) -> None:
    """Raise InvalidValue for what the venue does not do."""
    CAPABILITIES.require_native(order.order_type, order.time_in_force)
    if order.trail is not None and not _TRAIL_BPS[0] <= order.trail.value <= _TRAIL_BPS[1]:
        raise InvalidValue("trail", order.trail.value, f"{_TRAIL_BPS[0]} to {_TRAIL_BPS[1]} basis points")


def new_order(order: PlaceOrder, symbol: str) -> Words:
    """Return the parameters of an ordinary order.

    A market order goes out as an immediate limit at its worst price, which the venue's own kind could not promise.
    What reduces is the venue's own kind all the same: its price filter refuses limits five per cent from the mark,
    and an exit that is refused is worse than one at a bad price.
    """
    words = {**_named(order, symbol), "newClientOrderId": str(order.client_order_id), "newOrderRespType": "RESULT"}
    if order.order_type is OrderType.MARKET and order.reduce_only:
        return {**words, "type": "MARKET"}
    at_once = order.order_type is OrderType.MARKET
    time = TIMES[TimeInForce.IOC if at_once else order.time_in_force]
    return {**words, "type": "LIMIT", "price": str(order.price), "timeInForce": time}


def new_conditional(order: PlaceOrder, symbol: str) -> Words:
    """Return the parameters of a conditional order, which goes by the mark price."""
    words = {
        **_named(order, symbol),
        "algoType": "CONDITIONAL",
        "type": _CONDITIONAL[order.order_type],
        "clientAlgoId": str(order.client_order_id),
        "workingType": "MARK_PRICE",
    }
    if order.trail is not None:
        # No activation price: a stop that first waits for a better price would protect nothing meanwhile.
        return {**words, "callbackRate": _per_cent(order.trail)}
    words["triggerPrice"] = str(order.trigger_price)
    if order.order_type not in _WITH_PRICE:
        return words
    return {**words, "price": str(order.price), "timeInForce": TIMES[order.time_in_force]}


def change(amendment: Amendment, symbol: str) -> Words:
    """Return the parameters of an amendment: the venue is told the whole size, what has filled included."""
    asked = amendment.approved.request
    return {
        "symbol": symbol,
        "side": _side(amendment.side),
        "origClientOrderId": str(asked.client_order_id),
        "quantity": str(asked.filled_when_planned + asked.remaining),
        "price": str(asked.price),
    }


def require_amendable(amendment: Amendment) -> None:
    """Raise InvalidValue for what the venue cannot change in place: it amends limit orders that rest."""
    if amendment.trigger_price is not None or amendment.order_type is not OrderType.LIMIT:
        raise InvalidValue("order_type", amendment.order_type.value, "limit: others are cancelled and placed anew")


def _named(order: PlaceOrder, symbol: str) -> Words:
    words: Words = {"symbol": symbol, "side": _side(order.side), "quantity": str(order.quantity)}
    return {**words, "reduceOnly": "true"} if order.reduce_only else words


def _side(side: Side) -> str:
    return "BUY" if side is Side.BUY else "SELL"


def _per_cent(trail: Bps) -> str:
    return f"{(trail.value / _HUNDRED).normalize():f}"
