"""What a signed request does: orders one by one or in batches, leverage, stops of a position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from apps.exchanges.mock.engine.api import (
    Ack,
    Grouping,
    NewOrder,
    OrderSnapshot,
    Rejected,
    TpSl,
    Trigger,
)
from apps.exchanges.mock.wire.bybit.facts import OrderFacts
from apps.exchanges.mock.wire.bybit.fields import amount, coin_of, optional_text, require_linear, text
from apps.exchanges.mock.wire.bybit.orders_in import Wanted, read_order
from apps.exchanges.mock.wire.bybit.refusals import (
    MARGIN_MODE_FAILED,
    MARGIN_MODE_SAME,
    NO_ORDER,
    NOT_MODIFIED,
    PARAMETER,
    POSITION_MODE_SAME,
    TOO_MANY,
    TOO_MANY_VISITS,
    RefusedError,
    refused,
)
from apps.exchanges.mock.wire.bybit.venue import Venue
from apps.exchanges.mock.wire.bybit.words import CATEGORY, LATE, order_id, read_order_id
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.worst_price import worst_price
from moondev.domain.errors import InvalidValue

LARGEST_BATCH = 20
Action = Callable[[str, Json], Json]


class Trading:
    """The writing endpoints; each takes an account and a body and returns the `result` of the answer."""

    def __init__(self, venue: Venue) -> None:
        """Act on `venue`."""
        self._venue, self._exchange = venue, venue.exchange
        self.actions: Mapping[str, Action] = {
            "/v5/order/create": self.create,
            "/v5/order/amend": self.amend,
            "/v5/order/cancel": self.cancel,
            "/v5/order/cancel-all": self._cancel_all,
            "/v5/position/set-leverage": self._set_leverage,
            "/v5/position/switch-mode": self._switch_mode,
            "/v5/position/trading-stop": self._trading_stop,
            "/v5/position/add-margin": self._add_margin,
            "/v5/account/set-margin-mode": self._set_margin_mode,
        }
        self.batches: Mapping[str, Action] = {
            "/v5/order/create-batch": self.create,
            "/v5/order/amend-batch": self.amend,
            "/v5/order/cancel-batch": self.cancel,
        }

    def create(self, account: str, body: Json) -> Json:
        """Place an order, with the stops attached to it."""
        coin = self._coin(body)
        wanted = read_order(body, self._venue.specs[coin], self._exchange.mark(coin))
        answers = self._exchange.place(account, [order for order, _ in wanted.orders], wanted.grouping)
        oid = self._entered(answers[0], wanted)
        for answer, (_, facts) in zip(answers, wanted.orders, strict=True):
            if answer.oid is not None:
                self._venue.facts.note(answer.oid, facts)
        self._venue.counts.orders += 1
        return {"orderId": order_id(oid), "orderLinkId": optional_text(body, "orderLinkId")}

    def amend(self, account: str, body: Json) -> Json:
        """Change price, size or trigger of an order in place."""
        order = self._named(account, body, "replace")
        size, price, trigger = amount(body, "qty"), amount(body, "price"), amount(body, "triggerPrice")
        level = None if order.trigger is None else order.trigger.trigger_px
        if (size or order.size, price or order.price, trigger or level) == (order.size, order.price, level):
            raise RefusedError(
                PARAMETER, "The order remains unchanged as the parameters entered match the existing ones."
            )
        if size is not None and size <= order.filled:
            raise RefusedError(PARAMETER, "Qty must be above what is filled")
        left = None if size is None else size - order.filled
        answer = self._exchange.amend(account, order.oid, price=price, remaining=left, trigger_px=trigger)
        if isinstance(answer, Rejected):
            raise refused(answer)
        return {"orderId": order_id(order.oid), "orderLinkId": order.cloid or ""}

    def cancel(self, account: str, body: Json) -> Json:
        """Cancel one order."""
        order = self._named(account, body, "cancel")
        answer = self._exchange.cancel(account, order.coin, order.oid)
        if isinstance(answer, Rejected):
            raise refused(answer)
        return {"orderId": order_id(order.oid), "orderLinkId": order.cloid or ""}

    def batch(self, account: str, path: str, body: Json, granted: int) -> tuple[Json, Json]:
        """Do the first `granted` of a batch; return `result` and `retExtInfo`, whose lists run side by side.

        The rest of it is beyond the limit of this second and fails order by order.
        https://bybit-exchange.github.io/docs/v5/rate-limit
        """
        require_linear(body)
        items = body.get("request")
        if not isinstance(items, list) or not items or len(items) > LARGEST_BATCH:
            raise RefusedError(PARAMETER, f"params error: request must hold 1 to {LARGEST_BATCH} orders")
        told, said = [], []
        for number, item in enumerate(items):
            given = {"category": CATEGORY, **item} if isinstance(item, dict) else {}
            action = self.batches[path] if number < granted else _too_many
            row, code, message = self._one(action, account, given)
            told.append(row)
            said.append({"code": code, "msg": message})
        return {"list": told}, {"list": said}

    def _one(self, action: Action, account: str, item: Json) -> tuple[Json, int, str]:
        named = {"category": CATEGORY, "symbol": str(item.get("symbol", ""))}
        try:
            done = action(account, item)
        except RefusedError as error:
            left = {"orderId": "", "orderLinkId": str(item.get("orderLinkId", "")), "createAt": ""}
            return {**named, **left}, error.code, error.message
        return {**named, **done, "createAt": str(self._venue.now_ms())}, 0, "OK"

    def _entered(self, answer: Ack, wanted: Wanted) -> int:
        """Return the number of an order that counts as accepted. Raises RefusedError for the others."""
        if not isinstance(answer, Rejected):
            return answer.oid
        if answer.code in LATE and answer.oid is not None:
            return answer.oid
        raise refused(answer, rising=wanted.rising)

    def _named(self, account: str, body: Json, verb: str) -> OrderSnapshot:
        coin = self._coin(body)
        given, link = optional_text(body, "orderId"), optional_text(body, "orderLinkId")
        if not given and not link:
            raise RefusedError(PARAMETER, "params error: orderId or orderLinkId is required")
        oid = read_order_id(given) if given else None
        order = (
            self._exchange.order_by_cloid(account, link)
            if not given
            else None
            if oid is None
            else self._exchange.order_by_oid(account, oid)
        )
        if order is None or order.coin != coin or order.status.final:
            raise RefusedError(NO_ORDER, f"order not exists or too late to {verb}")
        return order

    def _cancel_all(self, account: str, body: Json) -> Json:
        require_linear(body)
        symbol, settle = optional_text(body, "symbol"), optional_text(body, "settleCoin")
        if not symbol and not settle and not optional_text(body, "baseCoin"):
            raise RefusedError(PARAMETER, "params error: symbol, baseCoin or settleCoin is required")
        wanted = None if not symbol else coin_of(body, self._venue.coins)
        orders = {order.oid: order for order in self._exchange.open_orders(account)}
        gone = self._exchange.cancel_all(account, wanted)
        told = [{"orderId": order_id(oid), "orderLinkId": orders[oid].cloid or ""} for oid in gone]
        return {"list": told, "success": "1"}

    def _set_leverage(self, account: str, body: Json) -> Json:
        coin = self._coin(body)
        buy, sell = amount(body, "buyLeverage"), amount(body, "sellLeverage")
        if buy is None or buy != sell:
            raise RefusedError(PARAMETER, "buyLeverage and sellLeverage must be the same")
        if buy != buy.to_integral_value():
            raise RefusedError(PARAMETER, "leverage invalid: whole numbers only")
        if int(buy) == self._exchange.leverage(account, coin):
            raise RefusedError(NOT_MODIFIED, "leverage not modified")
        answer = self._exchange.update_leverage(account, coin, int(buy), is_cross=account not in self._venue.isolated)
        if isinstance(answer, Rejected):
            raise refused(answer)
        return {}

    def _switch_mode(self, _account: str, body: Json) -> Json:
        require_linear(body)
        if str(body.get("mode")) == "0":
            raise RefusedError(POSITION_MODE_SAME, "Position mode is not modified")
        raise RefusedError(PARAMETER, "hedge mode is not available here")

    def _set_margin_mode(self, account: str, body: Json) -> Json:
        """Give every position margin of its own, or none: at this venue the mode is the whole account's."""
        mode = text(body, "setMarginMode")
        if mode not in {"REGULAR_MARGIN", "ISOLATED_MARGIN"}:
            raise RefusedError(PARAMETER, f"{mode} is not available here")
        cross = mode == "REGULAR_MARGIN"
        if cross is (account not in self._venue.isolated):
            raise RefusedError(MARGIN_MODE_SAME, "Cross/isolated margin mode is not modified")
        if self._exchange.account_state(account).positions:
            reason = {"reasonCode": "3400000", "reasonMsg": "There are open positions"}
            raise RefusedError(MARGIN_MODE_FAILED, "Set margin mode failed", {"reasons": [reason]})
        for coin in self._venue.coins:
            self._exchange.update_leverage(account, coin, self._exchange.leverage(account, coin), is_cross=cross)
        (self._venue.isolated.discard if cross else self._venue.isolated.add)(account)
        return {"reasons": []}

    def _add_margin(self, account: str, body: Json) -> Json:
        coin, raw = self._coin(body), text(body, "margin")
        try:
            answer = self._exchange.move_isolated_margin(account, coin, Decimal(raw))
        except (InvalidOperation, InvalidValue):
            raise RefusedError(PARAMETER, "params error: margin invalid") from None
        if isinstance(answer, Rejected):
            raise refused(answer)
        return self._venue.position_row(account, coin)

    def _trading_stop(self, account: str, body: Json) -> Json:
        """Put stops at the whole position, in place of those it has."""
        coin = self._coin(body)
        held = next((p for p in self._exchange.account_state(account).positions if p.coin == coin), None)
        if held is None:
            raise RefusedError(PARAMETER, "can not set tp/sl/ts for zero position")
        legs = [
            (kind, word, level)
            for field, kind, word in (("takeProfit", TpSl.TP, "TakeProfit"), ("stopLoss", TpSl.SL, "StopLoss"))
            if (level := amount(body, field)) is not None
        ]
        for order in self._exchange.open_orders(account):
            if order.coin == coin and order.position_tpsl:
                self._exchange.cancel(account, coin, order.oid)
        self._place_legs(account, coin, held.size, legs)
        return {}

    def _place_legs(self, account: str, coin: str, size: Decimal, legs: list[tuple[TpSl, str, Decimal]]) -> None:
        is_buy, spec = size < 0, self._venue.specs[coin]
        orders = [
            NewOrder(
                coin,
                is_buy,
                abs(size),
                worst_price(spec, level, is_buy=is_buy),
                reduce_only=True,
                trigger=Trigger(is_market=True, trigger_px=level, tpsl=kind),
            )
            for kind, _, level in legs
        ]
        answers = self._exchange.place(account, orders, Grouping.POSITION_TPSL) if orders else []
        for answer, (_, word, _) in zip(answers, legs, strict=True):
            if isinstance(answer, Rejected):
                raise refused(answer, rising=None)
            self._venue.facts.note(answer.oid, OrderFacts(market=True, tif="IOC", stop_type=word, tpsl_mode="Full"))

    def _coin(self, body: Json) -> str:
        require_linear(body)
        return coin_of(body, self._venue.coins)


def _too_many(_account: str, _body: Json) -> Json:
    raise RefusedError(TOO_MANY, TOO_MANY_VISITS)
