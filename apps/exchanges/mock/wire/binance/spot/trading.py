"""Placing, replacing and cancelling orders of the spot market.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
"""

from __future__ import annotations

import re
import secrets
from decimal import ROUND_DOWN, Decimal

from apps.exchanges.mock.engine.api import (
    Cancelled,
    InstrumentSpec,
    NewOrder,
    OrderSnapshot,
    Rejected,
    Tif,
    TpSl,
    Trigger,
)
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.refusals import CANCEL_UNKNOWN, NO_SUCH_ORDER, RefusedError
from apps.exchanges.mock.wire.binance.spot import views
from apps.exchanges.mock.wire.binance.spot.refusals import (
    BAD_ID,
    BAND,
    LOT,
    NOTIONAL,
    TICK,
    ReplaceRefusedError,
    refusal,
)
from apps.exchanges.mock.wire.binance.spot.venue import SpotVenue
from apps.exchanges.mock.wire.binance.words import SELF_TRADES, TIMES, Kind, on_record, tick_of
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.worst_price import worst_price

LIMIT, MARKET, MAKER = "LIMIT", "MARKET", "LIMIT_MAKER"
STOPS = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT"})
PROFITS = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
TRIGGERED = STOPS | PROFITS
PRICED = frozenset({LIMIT, MAKER, "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
_TIMED = frozenset({LIMIT, "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
_REACH = Decimal("0.2")
_CLIENT_ID = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
_NO_ID = (-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
_ONE_OF = (-1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!")


class SpotTrading:
    """Acts on the engine for signed requests. Every method refuses with RefusedError."""

    def __init__(self, venue: SpotVenue) -> None:
        """Act at `venue`."""
        self._venue = venue

    def place(self, account: str, params: Params) -> Json:
        """Place one order (POST /order); answered in full unless asked otherwise."""
        new, kind = self._wish(params)
        answer_type = params.choice("newOrderRespType", ("ACK", "RESULT", "FULL"), "FULL")
        order = self._enter(account, new, kind)
        fills = [fill for fill in self._venue.exchange.fills(account) if fill.oid == order.oid]
        row = views.placed(order, kind, self._venue.sums.of(order.oid), fills)
        if answer_type == "FULL":
            return row
        ack = ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")
        return {name: row[name] for name in row if name != "fills" and (answer_type == "RESULT" or name in ack)}

    def cancel(self, account: str, params: Params) -> Json:
        """Cancel one order by either id (DELETE /order)."""
        coin = self._venue.coin(params)
        order = self.find(account, coin, params)
        if order is None or order.status.final:
            raise RefusedError(*CANCEL_UNKNOWN)
        return self._cancelled(account, order)

    def cancel_all(self, account: str, params: Params) -> list[Json]:
        """Cancel every order of a pair (DELETE /openOrders)."""
        coin = self._venue.coin(params)
        found = [order for order in self._venue.exchange.open_orders(account) if order.coin == coin]
        if not found:
            raise RefusedError(*CANCEL_UNKNOWN)
        return [self._cancelled(account, order) for order in found]

    def replace(self, account: str, params: Params) -> Json:
        """Cancel one order and place another (POST /order/cancelReplace)."""
        stops = params.choice("cancelReplaceMode", ("STOP_ON_FAILURE", "ALLOW_FAILURE")) == "STOP_ON_FAILURE"
        named = {"orderId": params.find("cancelOrderId"), "origClientOrderId": params.find("cancelOrigClientOrderId")}
        asked = Params({"symbol": params.text("symbol"), **{key: name for key, name in named.items() if name}})
        data: Json = {"cancelResult": "SUCCESS", "newOrderResult": "NOT_ATTEMPTED", "newOrderResponse": None}
        try:
            data["cancelResponse"] = self.cancel(account, asked)
        except RefusedError as error:
            data |= {"cancelResult": "FAILURE", "cancelResponse": error.body()}
            if stops:
                raise ReplaceRefusedError(-2022, "Order cancel-replace failed.", data) from None
        try:
            data |= {"newOrderResponse": self.place(account, params), "newOrderResult": "SUCCESS"}
        except RefusedError as error:
            data |= {"newOrderResult": "FAILURE", "newOrderResponse": error.body()}
        if data["cancelResult"] == data["newOrderResult"] == "SUCCESS":
            return data
        partly = "SUCCESS" in (data["cancelResult"], data["newOrderResult"])
        code, words = (-2021, "partially failed") if partly else (-2022, "failed")
        raise ReplaceRefusedError(code, f"Order cancel-replace {words}.", data)

    def find(self, account: str, coin: str, params: Params) -> OrderSnapshot | None:
        """Return the order that `orderId` or `origClientOrderId` names, live or on record."""
        number, name = params.find_whole("orderId"), params.find("origClientOrderId")
        if number is None and name is None:
            raise RefusedError(*_NO_ID)
        exchange = self._venue.exchange
        order = exchange.order_by_oid(account, number) if number is not None else None
        if number is None and name is not None:
            order = exchange.order_by_cloid(account, name)
        return order if order is not None and order.coin == coin and on_record(order) else None

    def _enter(self, account: str, new: NewOrder, kind: Kind) -> OrderSnapshot:
        venue, name = self._venue, new.cloid or ""
        known = venue.kinds.of(account, name)
        venue.kinds.note(account, name, kind)
        answer = venue.exchange.place(account, [new])[0]
        order = None if answer.oid is None else venue.exchange.order_by_oid(account, answer.oid)
        if order is not None and on_record(order):
            venue.counts.orders += 1
            return order
        venue.kinds.note(account, name, known)
        if isinstance(answer, Rejected):
            raise refusal(answer)
        raise RefusedError(*NO_SUCH_ORDER)

    def _cancelled(self, account: str, order: OrderSnapshot) -> Json:
        venue = self._venue
        if not isinstance(venue.exchange.cancel(account, order.coin, order.oid), Cancelled):
            raise RefusedError(*CANCEL_UNKNOWN)
        ended = venue.exchange.order_by_oid(account, order.oid) or order
        kind, sums = venue.kinds.of(account, order.cloid), venue.sums.of(order.oid)
        return views.cancelled(ended, kind, sums, secrets.token_hex(11))

    def _wish(self, params: Params) -> tuple[NewOrder, Kind]:
        coin = self._venue.coin(params)
        spec = self._venue.specs[coin]
        is_buy = params.choice("side", ("BUY", "SELL")) == "BUY"
        kind = params.choice("type", (LIMIT, MARKET, MAKER, *TRIGGERED))
        time = params.choice("timeInForce", ("GTC", "IOC", "FOK")) if kind in _TIMED else "GTC"
        trigger = self._trigger(spec, params, kind) if kind in TRIGGERED else None
        limit = params.decimal("price") if kind in PRICED else None
        reference = self._venue.last_price(coin) if trigger is None else trigger.trigger_px
        price = worst_price(spec, reference, is_buy=is_buy) if limit is None else limit
        self._require_price(spec, price)
        size = self._size(spec, params, kind, reference)
        tif = {MAKER: Tif.ALO, MARKET: Tif.IOC}.get(kind, TIMES[time])
        stp = params.choice("selfTradePreventionMode", SELF_TRADES, "EXPIRE_MAKER")
        name = _client_id(params)
        new = NewOrder(coin, is_buy, size, price, tif, trigger=trigger, cloid=name, self_trade=SELF_TRADES[stp])
        return new, Kind(kind, time, self_trade=stp)

    def _trigger(self, spec: InstrumentSpec, params: Params, kind: str) -> Trigger:
        stop = params.decimal("stopPrice")
        self._require_price(spec, stop)
        return Trigger(kind not in PRICED, stop, TpSl.SL if kind in STOPS else TpSl.TP)

    def _size(self, spec: InstrumentSpec, params: Params, kind: str, price: Decimal) -> Decimal:
        """Return the size that was asked for, in base or (market orders) in quote currency."""
        worth = params.find_decimal("quoteOrderQty") if kind == MARKET else None
        if worth is None and params.find("quantity") is None:
            raise RefusedError(*_ONE_OF)
        size = params.decimal("quantity") if worth is None else (worth / price).quantize(spec.lot, ROUND_DOWN)
        if not size or size % spec.lot:
            raise RefusedError(*LOT)
        if size * price < spec.min_notional:
            raise RefusedError(*NOTIONAL)
        return size

    def _require_price(self, spec: InstrumentSpec, price: Decimal) -> None:
        """Hold a price to the grid, and to the filter that keeps it near the market."""
        if price <= 0 or price % tick_of(spec):
            raise RefusedError(*TICK)
        last = self._venue.last_price(spec.coin)
        if not last * _REACH <= price <= last / _REACH:
            raise RefusedError(*BAND)


def _client_id(params: Params) -> str:
    given = params.find("newClientOrderId")
    if given is None:
        return secrets.token_hex(11)
    if not _CLIENT_ID.match(given):
        raise RefusedError(*BAD_ID)
    return given
