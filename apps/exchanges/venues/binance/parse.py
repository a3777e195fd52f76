"""Binance's orders, fills and accounts as domain values. Pure: text in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except for a row among
others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from apps.exchanges.ports import (
    ParseError,
    ReportSource,
    RestingOrder,
    UnreadOrder,
)
from apps.exchanges.venues.binance.messages import (
    AlgoRow,
    ErrorBody,
    FundingRow,
    IncomeRow,
    OrderRow,
    TradeRow,
)
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillReport, Liquidity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, Side, finite_decimal

T = TypeVar("T")

# Conditional orders have ids of their own, which may be those of other, ordinary orders.
ALGO = "algo:"
STATUSES = {
    "NEW": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
    # Orders of the venue's own, when it liquidates or deleverages the account.
    "NEW_INSURANCE": OrderStatus.OPEN,
    "NEW_ADL": OrderStatus.OPEN,
}
ALGO_STATUSES = {
    "NEW": OrderStatus.OPEN,
    "CANCELED": OrderStatus.CANCELLED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
# What became of the ordinary order, only the ordinary order tells.
ALGO_LIVES, ALGO_OVER = "NEW", "FINISHED"
ALGO_RELEASED = frozenset({"TRIGGERING", "TRIGGERED", ALGO_OVER})
TRAILING = "TRAILING_STOP_MARKET"
_UUID_CHARACTERS = 36

_HUNDRED = Decimal(100)

ZERO_FILLED = Quantity(Decimal(0))


def decoded(what: str, text: str, shape: type[T]) -> T:
    """Return the JSON in `text` checked against `shape`. Raises ParseError."""
    with reading(what, text):
        return msgspec.json.decode(text, type=shape)


def client_order_id(text: str) -> UUID | None:
    """Return our id in a client order id; None for one that others chose (``x-...``, ``autoclose-...``)."""
    if len(text) != _UUID_CHARACTERS:
        return None
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def side(word: str) -> Side:
    """Return the side that the venue calls BUY or SELL."""
    return Side.BUY if word == "BUY" else Side.SELL


def number(field: str, text: str) -> Decimal:
    """Return a number that the venue wrote as text. Raises InvalidValue."""
    if "_" in text:
        # Python reads 1_0 as ten.
        raise InvalidValue(field, text, "a decimal number")
    return finite_decimal(field, text)


def status(word: str) -> OrderStatus:
    """Return the status of an ordinary order. Raises InvalidValue for a word nobody documented."""
    found = STATUSES.get(word)
    if found is None:
        raise InvalidValue("order status", word, ", ".join(STATUSES))
    return found


def algo_status(word: str) -> OrderStatus:
    """Return the status of a conditional order that was not released. Raises InvalidValue for any other word."""
    found = ALGO_STATUSES.get(word)
    if found is None:
        raise InvalidValue("algo status", word, ", ".join(ALGO_STATUSES))
    return found


def order_report(row: OrderRow, source: ReportSource, received: datetime) -> OrderReport:
    """Return what one ordinary order says; the venue's own word is the reason of an end."""
    found = status(row.status)
    return OrderReport(
        source=source,
        client_order_id=client_order_id(row.clientOrderId),
        venue_order_id=str(row.orderId),
        status=found,
        time_exchange=from_milliseconds(row.updateTime),
        time_received=received,
        filled_quantity=Quantity(number("executedQty", row.executedQty)),
        reason="" if found in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED} else row.status,
    )


def algo_report(row: AlgoRow, source: ReportSource, received: datetime) -> OrderReport:
    """Return what a conditional order says that has not become an ordinary one.

    It names no venue id: the order gets the one by which its fills are told when it is released.
    """
    found = algo_status(row.algoStatus)
    name = client_order_id(row.clientAlgoId)
    return OrderReport(
        source=source,
        client_order_id=name,
        venue_order_id=None if name is not None else f"{ALGO}{row.algoId}",
        status=found,
        time_exchange=from_milliseconds(row.updateTime),
        time_received=received,
        filled_quantity=ZERO_FILLED,
        reason="" if found is OrderStatus.OPEN else row.algoStatus,
    )


def order(text: str, source: ReportSource, received: datetime) -> OrderReport:
    """Return the report of an answer that is one ordinary order."""
    row = decoded("order", text, OrderRow)
    with reading("order", text):
        return order_report(row, source, received)


def answers(text: str, wanted: int) -> list[OrderRow | ErrorBody]:
    """Return the items of a batch's answer. Raises ParseError when they are not as many as the request had."""
    items = decoded("batch", text, list[dict[str, Any]])
    if len(items) != wanted:
        raise ParseError("batch", f"{len(items)} answers to {wanted} orders", text)
    with reading("batch", text):
        return [_answer(item) for item in items]


def resting_orders(text: str) -> tuple[Rows[RestingOrder], list[UnreadOrder]]:
    """Return the orders of openOrders, and the names of those that cannot be read."""
    return _listed(text, OrderRow, _resting, lambda fields: _unread(fields, "orderId", "clientOrderId", ""))


def waiting_orders(text: str) -> tuple[Rows[RestingOrder], list[UnreadOrder]]:
    """Return the orders of openAlgoOrders, and the names of those that cannot be read."""
    return _listed(text, AlgoRow, _waiting, lambda fields: _unread(fields, "algoId", "clientAlgoId", ALGO))


def fills(text: str, received: datetime) -> Rows[FillReport]:
    """Return the fills of a userTrades answer, in its order. The venue does not say there whose orders they were."""
    items = decoded("fills", text, list[Any])
    return rows("fill", items, TradeRow, lambda row: _fill(row, received))


def incomes(text: str) -> Rows[IncomeRow]:
    """Return the rows of an income answer, in its order; the amounts were not looked at yet."""
    return rows("income", decoded("income", text, list[Any]), IncomeRow, lambda row: row)


def funding_rows(text: str) -> Rows[FundingRow]:
    """Return the rows of a fundingRate answer, in its order."""
    return rows("funding rate", decoded("funding rates", text, list[Any]), FundingRow, lambda row: row)


def trade_id(symbol: str, order_id: int, number_: int) -> str:
    """Return the name of a fill.

    The venue numbers trades by symbol, and both sides of a trade with ourselves have the same number; with the order
    it is unique for ever.
    """
    return f"{symbol}-{order_id}-{number_}"


def _listed(
    text: str, shape: type[T], read: Callable[[T], RestingOrder], unread: Callable[[dict[str, Any]], UnreadOrder]
) -> tuple[Rows[RestingOrder], list[UnreadOrder]]:
    items = decoded("open orders", text, list[Any])
    by_row = [rows("open order", [item], shape, read) for item in items]
    found = Rows(
        tuple(order_ for row in by_row for order_ in row.read),
        tuple(error for row in by_row for error in row.unreadable),
    )
    odd = [item for item, row in zip(items, by_row, strict=True) if row.unreadable]
    return found, [unread(item if isinstance(item, dict) else {}) for item in odd]


def _resting(row: OrderRow) -> RestingOrder:
    quantity, filled = number("origQty", row.origQty), number("executedQty", row.executedQty)
    return RestingOrder(
        symbol=row.symbol,
        venue_order_id=str(row.orderId),
        client_order_id=client_order_id(row.clientOrderId),
        side=side(row.side),
        price=Price(number("price", row.price)),
        quantity=Quantity(quantity),
        remaining=Quantity(quantity - filled),
        reduce_only=row.reduceOnly,
        # A released stop-limit keeps its trigger for the record; it waits for nothing any more.
        trigger_price=None,
        time_exchange=from_milliseconds(row.updateTime if row.time is None else row.time),
    )


def _waiting(row: AlgoRow) -> RestingOrder:
    trigger = _trailing_trigger(row) if row.orderType == TRAILING else number("triggerPrice", row.triggerPrice)
    limit = number("price", row.price)
    quantity = Quantity(number("quantity", row.quantity))
    return RestingOrder(
        symbol=row.symbol,
        venue_order_id=f"{ALGO}{row.algoId}",
        client_order_id=client_order_id(row.clientAlgoId),
        side=side(row.side),
        # What executes at the market has no price of its own.
        price=Price(limit or trigger),
        quantity=quantity,
        remaining=quantity,
        reduce_only=row.reduceOnly,
        trigger_price=Price(trigger),
        time_exchange=from_milliseconds(row.createTime),
    )


def _trailing_trigger(row: AlgoRow) -> Decimal:
    """Return where the trigger of a trailing order started: how far it has come since, the venue does not tell."""
    start, back = number("activatePrice", row.activatePrice or ""), number("callbackRate", row.callbackRate or "")
    return start * (1 + back / _HUNDRED if row.side == "BUY" else 1 - back / _HUNDRED)


def _unread(fields: dict[str, Any], id_field: str, name_field: str, prefix: str) -> UnreadOrder:
    """Return what can be said of an order with an odd row: what is odd itself stays empty."""
    symbol, number_, name = fields.get("symbol"), fields.get(id_field), fields.get(name_field)
    return UnreadOrder(
        symbol=symbol if isinstance(symbol, str) else "",
        venue_order_id=f"{prefix}{number_}" if type(number_) is int else "",
        client_order_id=client_order_id(name) if isinstance(name, str) else None,
        reduce_only=fields.get("reduceOnly") is True,
    )


def _fill(row: TradeRow, received: datetime) -> FillReport:
    return FillReport(
        venue_trade_id=trade_id(row.symbol, row.orderId, row.id),
        venue_order_id=str(row.orderId),
        client_order_id=None,
        symbol=row.symbol,
        side=side(row.side),
        price=Price(number("price", row.price)),
        quantity=Quantity(number("qty", row.qty)),
        fee=Money(number("commission", row.commission), row.commissionAsset),
        liquidity=Liquidity.MAKER if row.maker else Liquidity.TAKER,
        time_exchange=from_milliseconds(row.time),
        time_received=received,
    )


def _answer(item: dict[str, Any]) -> OrderRow | ErrorBody:
    if "code" in item:
        return msgspec.convert(item, ErrorBody)
    return msgspec.convert(item, OrderRow)
