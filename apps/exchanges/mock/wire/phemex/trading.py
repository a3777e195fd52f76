"""What a signed request does: orders one by one, cancels, leverage."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.exchanges.mock.engine.api import Ack, OrderSnapshot, Rejected
from apps.exchanges.mock.wire.phemex import views_orders
from apps.exchanges.mock.wire.phemex.endpoints import Endpoint, EndpointKey
from apps.exchanges.mock.wire.phemex.fields import amount, coin_of, flag, optional_text, signed, text
from apps.exchanges.mock.wire.phemex.limits import Group
from apps.exchanges.mock.wire.phemex.orders_in import Wanted, read_order
from apps.exchanges.mock.wire.phemex.refusals import (
    ARGUMENTS,
    BAD_LEVERAGE,
    NO_ORDER,
    NO_ORDER_ID,
    NOT_MODIFIED,
    RefusedError,
    refused,
)
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.phemex.words import LATE, read_order_id, symbol_of
from apps.exchanges.mock.wire.port import Json

_CANNOT_REPLACE_PRICE, _INVALID_QUANTITY, _HEDGED = 11067, 11012, 20_004


class Trading:
    """The writing endpoints; each takes an account and the fields and returns the `data` of the answer."""

    def __init__(self, venue: Venue) -> None:
        """Act on `venue`."""
        self._venue, self._exchange = venue, venue.exchange
        contract = Group.CONTRACT
        self.endpoints: Mapping[EndpointKey, Endpoint] = {
            ("POST", "/g-orders"): Endpoint("create", contract, 1, self._create),
            ("PUT", "/g-orders/create"): Endpoint("create", contract, 1, self._create),
            ("PUT", "/g-orders/replace"): Endpoint("replace", contract, 1, self._replace),
            ("DELETE", "/g-orders/cancel"): Endpoint("cancel", contract, 1, self._cancel),
            ("DELETE", "/g-orders"): Endpoint("cancel-bulk", contract, 1, self._cancel_bulk),
            ("DELETE", "/g-orders/all"): Endpoint("cancel-all", contract, 3, self._cancel_all),
            ("PUT", "/g-positions/leverage"): Endpoint("leverage", contract, 1, self._set_leverage),
            ("PUT", "/g-positions/switch-pos-mode-sync"): Endpoint("switch-pos-mode", contract, 1, self._switch_mode),
        }

    def _create(self, account: str, fields: Json) -> Any:  # noqa: ANN401 - any JSON
        """Place an order. What the matching engine makes of it comes later, over the account's stream."""
        coin = coin_of(fields, self._venue.coins)
        wanted = read_order(fields, self._venue.specs[coin], self._exchange.mark(coin))
        answers = self._exchange.place(account, [order for order, _ in wanted.orders], wanted.grouping)
        oid = _entered(answers[0], wanted)
        for answer, (_, facts) in zip(answers, wanted.orders, strict=True):
            if answer.oid is not None:
                self._venue.facts.note(answer.oid, facts)
        self._venue.counts.orders += 1
        order = self._exchange.order_by_oid(account, oid)
        if order is None:
            raise RefusedError(NO_ORDER)
        return views_orders.accepted(order, wanted.orders[0][1])

    def _replace(self, account: str, fields: Json) -> Any:  # noqa: ANN401 - any JSON
        """Change price, whole quantity or trigger of an order in place; it keeps its id."""
        order = self._named(account, fields, "origClOrdID")
        size, price, level = amount(fields, "orderQtyRq"), amount(fields, "priceRp"), amount(fields, "stopPxRp")
        facts = self._venue.facts.of(order.oid)
        if price is not None and not views_orders.price_of(order, facts):
            raise RefusedError(_CANNOT_REPLACE_PRICE, "TE_CANNOT_REPLACE_PRICE")
        at = None if order.trigger is None else order.trigger.trigger_px
        if (size or order.size, price or order.price, level or at) == (order.size, order.price, at):
            raise RefusedError(NOT_MODIFIED)
        if size is not None and size <= order.filled:
            raise RefusedError(_INVALID_QUANTITY, "TE_REPLACE_TO_INVALID_QTY")
        left = None if size is None else size - order.filled
        answer = self._exchange.amend(account, order.oid, price=price, remaining=left, trigger_px=level)
        if isinstance(answer, Rejected):
            raise refused(answer)
        return {**self._row(account, order.oid), "execStatus": "PendingReplace"}

    def _cancel(self, account: str, fields: Json) -> Any:  # noqa: ANN401 - any JSON
        return self._cancelled(account, self._named(account, fields, "clOrdID"))

    def _cancel_bulk(self, account: str, fields: Json) -> Any:  # noqa: ANN401 - any JSON
        """Cancel a list of orders, named by one kind of id, separated by commas; unknown ones carry a bizError."""
        kind = "orderID" if optional_text(fields, "orderID") else "clOrdID"
        names = [name for name in optional_text(fields, kind).split(",") if name]
        if not names:
            raise RefusedError(NO_ORDER_ID)
        return [self._one_of_bulk(account, {**fields, "orderID": "", "clOrdID": "", kind: name}) for name in names]

    def _one_of_bulk(self, account: str, fields: Json) -> Json:
        try:
            return self._cancelled(account, self._named(account, fields, "clOrdID"))
        except RefusedError as error:
            named = {"orderID": optional_text(fields, "orderID"), "clOrdID": optional_text(fields, "clOrdID")}
            return {"bizError": error.code, **named, "symbol": text(fields, "symbol")}

    def _cancel_all(self, account: str, fields: Json) -> Any:  # noqa: ANN401 - any JSON
        """Cancel what rests, or with `untriggered` what waits, in one symbol, several, or all."""
        symbols = [name for name in optional_text(fields, "symbol").split(",") if name]
        waiting = flag(fields, "untriggered")
        found = [
            order
            for order in self._exchange.open_orders(account)
            if order.waiting == waiting and (not symbols or symbol_of(order.coin) in symbols)
        ]
        for order in found:
            self._exchange.cancel(account, order.coin, order.oid)
        return len(found)

    def _set_leverage(self, account: str, fields: Json) -> Any:  # noqa: ANN401 - any JSON
        """Set the leverage of a symbol: below zero means cross margin."""
        coin, leverage = coin_of(fields, self._venue.coins), signed(fields, "leverageRr")
        if leverage != leverage.to_integral_value():
            raise RefusedError(BAD_LEVERAGE)
        answer = self._exchange.update_leverage(account, coin, int(abs(leverage)), is_cross=leverage < 0)
        if isinstance(answer, Rejected):
            raise refused(answer)
        self._venue.touch(account, coin)
        return "OK"

    def _switch_mode(self, _account: str, fields: Json) -> Any:  # noqa: ANN401 - any JSON
        coin_of(fields, self._venue.coins)
        mode = text(fields, "targetPosMode")
        if mode not in {"OneWay", "Hedged"}:
            raise RefusedError(ARGUMENTS)
        if mode == "Hedged":
            raise RefusedError(_HEDGED, "TE_ERR_INCONSISTENT_POS_MODE")
        return ""

    def _named(self, account: str, fields: Json, client_field: str) -> OrderSnapshot:
        """Return the live order a request names. Phemex wants the client's id of an order to replace elsewhere."""
        coin = coin_of(fields, self._venue.coins)
        text(fields, "posSide")
        given, client = optional_text(fields, "orderID"), optional_text(fields, client_field)
        if not given and not client:
            raise RefusedError(NO_ORDER_ID)
        oid = read_order_id(given)
        order = (
            self._exchange.order_by_cloid(account, client)
            if not given
            else None
            if oid is None
            else self._exchange.order_by_oid(account, oid)
        )
        if order is None or order.coin != coin or order.status.final:
            raise RefusedError(NO_ORDER)
        return order

    def _cancelled(self, account: str, order: OrderSnapshot) -> Json:
        """Cancel; the answer is the order as it was, on its way out."""
        answer = self._exchange.cancel(account, order.coin, order.oid)
        if isinstance(answer, Rejected):
            raise refused(answer)
        row = views_orders.order(order, self._venue.facts.of(order.oid), self._venue.sums.of(order.oid))
        return {**row, "execStatus": "PendingCancel"}

    def _row(self, account: str, oid: int) -> Json:
        order = self._exchange.order_by_oid(account, oid)
        if order is None:
            raise RefusedError(NO_ORDER)
        return views_orders.order(order, self._venue.facts.of(oid), self._venue.sums.of(oid))


def _entered(answer: Ack, wanted: Wanted) -> int:
    """Return the number of an order that counts as accepted. Raises RefusedError for the others."""
    if not isinstance(answer, Rejected):
        return answer.oid
    if answer.code in LATE and answer.oid is not None:
        return answer.oid
    raise refused(answer, rising=wanted.rising)


def refused_later(fields: Json, reason: str) -> Json:
    """Return the answer to a new order that the trading engine refuses: code 0 outside, the refusal within."""
    row = {name: optional_text(fields, name) for name in ("clOrdID", "symbol", "side")}
    return {
        "bizError": 11_082,
        "orderID": "",
        **row,
        "actionTimeNs": 0,
        "transactTimeNs": 0,
        "orderType": optional_text(fields, "ordType"),
        "orderQtyRq": optional_text(fields, "orderQtyRq"),
        "cumQtyRq": "0",
        "leavesQtyRq": "0",
        "priceRp": optional_text(fields, "priceRp") or str(Decimal(0)),
        "execStatus": "CreateRejected",
        "ordStatus": "Rejected",
        "message": reason,
    }
