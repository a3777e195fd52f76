"""Placing, changing and cancelling ordinary orders.

https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/New-Order
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    Cancelled,
    InstrumentSpec,
    NewOrder,
    OrderSnapshot,
    RejectCode,
    Rejected,
    Tif,
)
from apps.exchanges.mock.wire.binance import views
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.orders_in import (
    client_id,
    list_in,
    orders_in,
    require_grid,
    require_one_way,
)
from apps.exchanges.mock.wire.binance.refusals import (
    BAD_BATCH,
    CANCEL_UNKNOWN,
    NO_SUCH_ORDER,
    NOT_HERE,
    NOTHING_TO_MODIFY,
    RefusedError,
    refusal,
    too_small,
)
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import (
    LIMIT,
    MARKET,
    SELF_TRADES,
    TIMES,
    TRIGGERED,
    Kind,
    on_record,
    price,
)
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.worst_price import worst_price

MAX_CANCELLED = 10
# How far from the mark a limit may reach into the market, and how far a market order goes. Ten per cent for most
# symbols at the venue, five for the greatest.
BAND = Decimal("0.1")
# https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/Query-Order
_SHORTEST_LIFE_MS = 600_000
_REMEMBERED_MS = 3 * 24 * 3_600_000
_NO_ID = (-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")


@dataclass(frozen=True, slots=True)
class Wish:
    """One order as the venue's words ask for it; `kind` is what the engine does not keep."""

    coin: str
    is_buy: bool
    size: Decimal
    limit: Decimal | None
    tif: Tif
    reduce_only: bool
    client_id: str
    kind: Kind


class Trading:
    """Acts on the engine for signed requests. Every method refuses with RefusedError."""

    def __init__(self, venue: Venue) -> None:
        """Act at `venue`."""
        self._venue = venue

    def place(self, account: str, params: Params) -> Json:
        """Place one order (POST /order)."""
        order = self.enter(account, self._wish(params))
        row = views.acknowledged(self._venue.order_row(account, order))
        if params.choice("newOrderRespType", ("ACK", "RESULT"), "ACK") == "ACK":
            # An acknowledgement is written before the order meets the book.
            row |= {"status": "NEW", "executedQty": "0", "cumQty": "0", "cumQuote": "0", "avgPrice": "0.00"}
        return row

    def enter(self, account: str, wish: Wish) -> OrderSnapshot:
        """Give an order to the engine and return what became of it."""
        venue = self._venue
        spec, mark = venue.specs[wish.coin], venue.exchange.mark(wish.coin)
        limit = wish.limit if wish.limit is not None else _bound(spec, mark, is_buy=wish.is_buy)
        if wish.limit is not None:
            require_grid(spec, wish.limit)
            _require_band(spec, mark, wish.limit, is_buy=wish.is_buy)
        elif not wish.reduce_only and wish.size and wish.size * mark < spec.min_notional:
            raise too_small(spec)
        known = venue.kinds.of(account, wish.client_id)
        venue.kinds.note(account, wish.client_id, wish.kind)
        new = NewOrder(
            wish.coin,
            wish.is_buy,
            wish.size,
            limit,
            wish.tif,
            wish.reduce_only,
            cloid=wish.client_id,
            self_trade=SELF_TRADES[wish.kind.self_trade],
            expires_ms=wish.kind.good_till_ms or None,
        )
        answer = venue.exchange.place(account, [new])[0]
        order = None if answer.oid is None else venue.exchange.order_by_oid(account, answer.oid)
        if order is not None and on_record(order):
            venue.counts.orders += 1
            return order
        if isinstance(answer, Rejected):
            if answer.code is RejectCode.DUPLICATE_CLOID:
                venue.kinds.note(account, wish.client_id, known)
            raise refusal(answer, spec)
        raise RefusedError(*NO_SUCH_ORDER)

    def amend(self, account: str, params: Params) -> Json:
        """Change price and quantity of a resting limit order (PUT /order); it keeps its id."""
        coin = self._venue.coin(params)
        order = self._live(account, coin, params, NO_SUCH_ORDER)
        params.choice("side", ("BUY", "SELL"))
        quantity, limit = params.decimal("quantity"), params.decimal("price")
        spec = self._venue.specs[coin]
        require_grid(spec, limit)
        _require_band(spec, self._venue.exchange.mark(coin), limit, is_buy=order.is_buy)
        if quantity == order.size and limit == order.price:
            raise RefusedError(*NOTHING_TO_MODIFY)
        if quantity <= order.filled:
            return self._cancelled(account, order)
        if not order.reduce_only and quantity * limit < spec.min_notional:
            raise too_small(spec)
        answer = self._venue.exchange.amend(account, order.oid, price=limit, remaining=quantity - order.filled)
        if isinstance(answer, Rejected):
            if answer.code is RejectCode.BAD_ALO_PRICE:
                # The venue cancels a post-only order whose new price would take.
                return self._cancelled(account, order)
            raise refusal(answer, spec)
        return self._row(account, order.oid)

    def cancel(self, account: str, params: Params) -> Json:
        """Cancel one order by either id (DELETE /order)."""
        order = self._live(account, self._venue.coin(params), params, CANCEL_UNKNOWN)
        return self._cancelled(account, order)

    def place_many(self, account: str, params: Params) -> list[Json]:
        """Place up to five orders, each by itself (POST /batchOrders)."""
        return self._each(orders_in(params), lambda one: self.place(account, one))

    def amend_many(self, account: str, params: Params) -> list[Json]:
        """Change up to five orders, each by itself (PUT /batchOrders)."""
        return self._each(orders_in(params), lambda one: self.amend(account, one))

    def cancel_many(self, account: str, params: Params) -> list[Json]:
        """Cancel up to ten orders of a symbol, each by itself (DELETE /batchOrders)."""
        symbol = params.text("symbol")
        self._venue.coin(params)
        names = {name.lower(): name for name in params.names()}
        found = [("orderId", names.get("orderidlist")), ("origClientOrderId", names.get("origclientorderidlist"))]
        wanted = [(key, str(item)) for key, name in found if name for item in list_in(params, name)]
        if not 1 <= len(wanted) <= MAX_CANCELLED:
            raise RefusedError(*BAD_BATCH)
        return self._each(
            [Params({"symbol": symbol, key: value}) for key, value in wanted], lambda one: self.cancel(account, one)
        )

    def cancel_all(self, account: str, params: Params) -> Json:
        """Cancel every ordinary order of a symbol (DELETE /allOpenOrders)."""
        self._venue.exchange.cancel_all(account, self._venue.coin(params))
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def find(self, account: str, coin: str, params: Params) -> OrderSnapshot | None:
        """Return the order that `orderId` or `origClientOrderId` names, live or on record."""
        number, name = params.find_whole("orderId"), params.find("origClientOrderId")
        if number is None and name is None:
            raise RefusedError(*_NO_ID)
        exchange = self._venue.exchange
        order = exchange.order_by_oid(account, number) if number is not None else None
        if number is None and name is not None:
            order = exchange.order_by_cloid(account, name)
        known = order is not None and order.coin == coin and on_record(order)
        return order if order is not None and known and not _forgotten(order, self._venue.now_ms()) else None

    def _live(self, account: str, coin: str, params: Params, unknown: tuple[int, str]) -> OrderSnapshot:
        order = self.find(account, coin, params)
        if order is None or order.status.final:
            raise RefusedError(*unknown)
        return order

    def _cancelled(self, account: str, order: OrderSnapshot) -> Json:
        if not isinstance(self._venue.exchange.cancel(account, order.coin, order.oid), Cancelled):
            raise RefusedError(*CANCEL_UNKNOWN)
        return self._row(account, order.oid)

    def _row(self, account: str, oid: int) -> Json:
        order = self._venue.exchange.order_by_oid(account, oid)
        if order is None:
            raise RefusedError(*NO_SUCH_ORDER)
        return views.acknowledged(self._venue.order_row(account, order))

    @staticmethod
    def _each(items: list[Params], act: Callable[[Params], Json]) -> list[Json]:
        rows = []
        for item in items:
            try:
                rows.append(act(item))
            except RefusedError as error:
                rows.append(error.body())
        return rows

    def _wish(self, params: Params) -> Wish:
        coin = self._venue.coin(params)
        is_buy = params.choice("side", ("BUY", "SELL")) == "BUY"
        kind = params.choice("type", (LIMIT, MARKET, *TRIGGERED))
        if kind in TRIGGERED:
            raise RefusedError(*NOT_HERE)
        require_one_way(params)
        time = params.choice("timeInForce", TIMES) if kind == LIMIT else "GTC"
        return Wish(
            coin,
            is_buy,
            params.decimal("quantity"),
            params.decimal("price") if kind == LIMIT else None,
            TIMES[time] if kind == LIMIT else Tif.IOC,
            params.flag("reduceOnly"),
            client_id(params, "newClientOrderId"),
            Kind(
                kind,
                time,
                self_trade=params.choice("selfTradePreventionMode", SELF_TRADES, "EXPIRE_MAKER"),
                good_till_ms=self._good_till(params) if time == "GTD" else 0,
            ),
        )

    def _good_till(self, params: Params) -> int:
        """Return until when an order lives, in whole seconds as the venue counts, ten minutes ahead at least."""
        until = params.whole("goodTillDate") // 1_000 * 1_000
        if until <= self._venue.now_ms() + _SHORTEST_LIFE_MS:
            raise RefusedError(
                -4186, "The goodTillDate timestamp must be greater than the current time plus 600 seconds."
            )
        return until


def _forgotten(order: OrderSnapshot, now_ms: int) -> bool:
    """Return whether the venue has deleted the order: ended without a fill, and three days old."""
    return order.status.final and not order.filled and order.placed_ms + _REMEMBERED_MS < now_ms


def _bound(spec: InstrumentSpec, mark: Decimal, *, is_buy: bool) -> Decimal:
    return worst_price(spec, mark, is_buy=is_buy, slippage=BAND)


def _require_band(spec: InstrumentSpec, mark: Decimal, limit: Decimal, *, is_buy: bool) -> None:
    """Hold the order to the filter PERCENT_PRICE: it binds only towards the market."""
    if is_buy and limit > mark * (1 + BAND):
        raise RefusedError(-4016, f"Limit price can't be higher than {price(spec, mark * (1 + BAND))}.")
    if not is_buy and limit < mark * (1 - BAND):
        raise RefusedError(-4024, f"Limit price can't be lower than {price(spec, mark * (1 - BAND))}.")
