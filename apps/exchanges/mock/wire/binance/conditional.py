"""The requests about conditional orders, and their triggering."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from apps.exchanges.mock.engine.api import Tif
from apps.exchanges.mock.engine.events import Event, MarkChanged, OrderUpdated
from apps.exchanges.mock.wire.binance import views
from apps.exchanges.mock.wire.binance.algos import (
    CANCELED,
    FINISHED,
    MAX_WAITING,
    NEW,
    REJECTED,
    TRIGGERED,
    Algo,
    AlgoBook,
)
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.orders_in import client_id, require_grid, require_one_way
from apps.exchanges.mock.wire.binance.refusals import (
    CANCEL_UNKNOWN,
    DUPLICATE,
    IMMEDIATELY_TRIGGERED,
    NO_SUCH_ORDER,
    TOO_MANY_TRIGGERS,
    RefusedError,
)
from apps.exchanges.mock.wire.binance.trading import Trading, Wish
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import (
    LIMIT_TRIGGERED,
    TIMES,
    TRAILING,
    Kind,
    on_record,
    text,
)
from apps.exchanges.mock.wire.binance.words import TRIGGERED as TYPES
from apps.exchanges.mock.wire.port import Json

_ZERO = Decimal(0)
_CALLBACKS = (Decimal("0.1"), Decimal(10))
_WORKING = ("CONTRACT_PRICE", "MARK_PRICE")


class Conditional:
    """Keeps conditional orders and sends them on their way. All of them follow the mark price here."""

    def __init__(self, venue: Venue, trading: Trading, tell: Callable[[str, Json], None]) -> None:
        """Listen to the engine; `tell` hears each account's events."""
        self.book = AlgoBook(venue.now_ms())
        self._venue, self._trading, self._tell = venue, trading, tell
        self._moved: dict[str, Decimal] = {}
        venue.exchange.subscribe(self._on_event)

    def place(self, account: str, params: Params) -> Json:
        """Place a conditional order (POST /algoOrder)."""
        params.choice("algoType", ("CONDITIONAL",))
        algo = self._asked(account, params)
        if len(self.book.waiting(account)) >= MAX_WAITING:
            raise RefusedError(*TOO_MANY_TRIGGERS)
        if any(waiting.client_id == algo.client_id for waiting in self.book.waiting(account)):
            raise RefusedError(*DUPLICATE)
        mark = self._venue.exchange.mark(algo.coin)
        if algo.order_type == TRAILING and algo.activate is None:
            # The venue puts the price of the moment where none was sent, so the order trails at once.
            algo.activate = mark
        if algo.fires(mark) and algo.order_type != TRAILING:
            raise RefusedError(*IMMEDIATELY_TRIGGERED)
        self.book.add(algo)
        self._announce(algo)
        return algo.row()

    def cancel(self, account: str, params: Params) -> Json:
        """Cancel one (DELETE /algoOrder)."""
        algo = self._named(account, params)
        if algo is None or algo.status != NEW:
            raise RefusedError(*CANCEL_UNKNOWN)
        self._cancel(algo)
        return {"algoId": algo.algo_id, "clientAlgoId": algo.client_id, "code": "200", "msg": "success"}

    def cancel_all(self, account: str, params: Params) -> Json:
        """Cancel all of a symbol (DELETE /algoOpenOrders)."""
        for algo in self.book.waiting(account, self._venue.coin(params)):
            self._cancel(algo)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def show(self, account: str, params: Params) -> Json:
        """Return one (GET /algoOrder)."""
        algo = self._named(account, params)
        if algo is None:
            raise RefusedError(*NO_SUCH_ORDER)
        return self._row(algo)

    def open(self, account: str, params: Params) -> list[Json]:
        """Return the waiting ones (GET /openAlgoOrders)."""
        coin = None if params.find("symbol") is None else self._venue.coin(params)
        return [self._row(algo) for algo in self.book.waiting(account, coin)]

    def history(self, account: str, params: Params) -> list[Json]:
        """Return all of a symbol (GET /allAlgoOrders), the newest `limit`."""
        limit = min(params.whole("limit", 500), 1_000)
        start, end = params.whole("startTime", 0), params.find_whole("endTime")
        found = [
            algo
            for algo in self.book.history(account, self._venue.coin(params))
            if algo.created_ms >= start and (end is None or algo.created_ms <= end)
        ]
        return [self._row(algo) for algo in found[-limit:]]

    def _asked(self, account: str, params: Params) -> Algo:
        coin = self._venue.coin(params)
        kind = params.choice("type", TYPES)
        require_one_way(params)
        trailing, close = kind == TRAILING, params.flag("closePosition")
        now = self._venue.now_ms()
        algo = Algo(
            algo_id=self.book.next_id(),
            client_id=client_id(params, "clientAlgoId"),
            account=account,
            coin=coin,
            is_buy=params.choice("side", ("BUY", "SELL")) == "BUY",
            order_type=kind,
            time_in_force=params.choice("timeInForce", TIMES, "GTC"),
            quantity=_ZERO if close else params.decimal("quantity"),
            price=params.decimal("price") if kind in LIMIT_TRIGGERED else _ZERO,
            trigger=_ZERO if trailing else params.decimal("triggerPrice"),
            reduce_only=params.flag("reduceOnly") or close,
            close_position=close,
            working_type=params.choice("workingType", _WORKING, "CONTRACT_PRICE"),
            created_ms=now,
            updated_ms=now,
            callback=params.decimal("callbackRate") if trailing else _ZERO,
            activate=params.find_decimal("activatePrice") if trailing else None,
        )
        self._require_sound(algo)
        return algo

    def _require_sound(self, algo: Algo) -> None:
        spec = self._venue.specs[algo.coin]
        for number in (algo.price, algo.trigger, algo.activate):
            if number:
                require_grid(spec, number)
        if algo.quantity % spec.lot:
            raise RefusedError(-1111, "Precision is over the maximum defined for this asset.")
        if not algo.quantity and not algo.close_position:
            raise RefusedError(-4003, "Quantity less than or equal to zero.")
        if algo.order_type == TRAILING and not _CALLBACKS[0] <= algo.callback <= _CALLBACKS[1]:
            raise RefusedError(-2007, "Invalid callBack rate.")

    def _named(self, account: str, params: Params) -> Algo | None:
        number, name = params.find_whole("algoId"), params.find("clientAlgoId")
        if number is None and name is None:
            raise RefusedError(-1102, "Param 'clientAlgoId' or 'algoId' must be sent, but both were empty/null!")
        return self.book.find(account, number, name)

    def _cancel(self, algo: Algo) -> None:
        self.book.end(algo, CANCELED, self._venue.now_ms())
        self._announce(algo)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, MarkChanged):
            if not self._moved:
                # After the request that moved the mark: the engine is in the middle of it now.
                asyncio.get_running_loop().call_soon(self._fire)
            self._moved[event.coin] = event.mark
        elif isinstance(event, OrderUpdated) and event.order.status.final:
            algo = self.book.of_order(event.order.oid)
            if algo is not None and algo.status == TRIGGERED:
                self.book.end(algo, FINISHED, event.time_ms)
                self._announce(algo)

    def _fire(self) -> None:
        moved, self._moved = self._moved, {}
        for coin, mark in moved.items():
            for algo in self.book.fired(coin, mark):
                self._trigger(algo)

    def _trigger(self, algo: Algo) -> None:
        now = self._venue.now_ms()
        algo.triggered_ms = now
        self.book.end(algo, TRIGGERED, now)
        try:
            order = self._trading.enter(algo.account, self._wish(algo))
        except RefusedError as error:
            algo.reason = error.message
            self.book.end(algo, REJECTED, now)
            self._announce(algo)
            return
        self.book.became(algo, order.oid)
        self._announce(algo)
        if order.status.final and on_record(order):
            self.book.end(algo, FINISHED, now)
            self._announce(algo)

    def _wish(self, algo: Algo) -> Wish:
        size = algo.quantity
        if algo.close_position:
            held = {entry.coin: abs(entry.size) for entry in self._venue.state(algo.account).positions}
            size = held.get(algo.coin, _ZERO)
        kind = Kind(
            "LIMIT" if algo.limited else "MARKET",
            algo.time_in_force,
            algo.order_type,
            algo.close_position,
            algo.algo_id,
            text(algo.trigger),
            algo.working_type,
        )
        tif = TIMES[algo.time_in_force] if algo.limited else Tif.IOC
        limit = algo.price if algo.limited else None
        return Wish(algo.coin, algo.is_buy, size, limit, tif, algo.reduce_only, algo.client_id, kind)

    def _row(self, algo: Algo) -> Json:
        sums = self._venue.sums.of(algo.order_id or 0)
        return algo.full_row(views.average(sums, self._venue.specs[algo.coin]))

    def _announce(self, algo: Algo) -> None:
        sums = self._venue.sums.of(algo.order_id or 0)
        average = views.average(sums, self._venue.specs[algo.coin])
        self._tell(algo.account, algo.event(self._venue.now_ms(), text(sums.size), average))
