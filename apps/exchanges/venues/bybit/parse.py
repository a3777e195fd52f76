"""Bybit's orders, executions and accounts as domain values. Pure: text in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except for a row among
others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from apps.exchanges.ports import (
    FundingPayment,
    ReportSource,
    RestingOrder,
    UnreadOrder,
)
from apps.exchanges.venues.bybit.fields import (
    client_order_id,
    money,
    number,
    optional_number,
    quote_of,
    require_one_way,
    side,
)
from apps.exchanges.venues.bybit.messages import (
    Answer,
    ExecutionRow,
    OrderRow,
    Page,
)
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, SignedQuantity

T = TypeVar("T")

_LATEST_MS = 10**14

_ANSWER = msgspec.json.Decoder(Answer)
# https://bybit-exchange.github.io/docs/v5/enum#orderstatus
_STATUSES = MappingProxyType(
    {
        "New": OrderStatus.OPEN,
        "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
        "Untriggered": OrderStatus.OPEN,
        "Triggered": OrderStatus.OPEN,
        "Filled": OrderStatus.FILLED,
        "Cancelled": OrderStatus.CANCELLED,
        "PartiallyFilledCanceled": OrderStatus.CANCELLED,
        # A conditional order that was cancelled before its trigger.
        "Deactivated": OrderStatus.CANCELLED,
        "Rejected": OrderStatus.REJECTED,
    }
)
_WAITS_NO_MORE = frozenset({"New", "PartiallyFilled", "Triggered", "Filled"})
_NO_REASON = frozenset({"", "EC_NoError"})
_NOT_CANCELLED = frozenset({"", "UNKNOWN"})
# https://bybit-exchange.github.io/docs/v5/enum#exectype
FUNDING = "Funding"
_FILLS = MappingProxyType(
    {
        "Trade": FillKind.ORDER,
        "BlockTrade": FillKind.ORDER,
        "MovePosition": FillKind.ORDER,
        "FutureSpread": FillKind.ORDER,
        "BustTrade": FillKind.LIQUIDATION,
        "AdlTrade": FillKind.DELEVERAGING,
    }
)


def answer(what: str, text: str) -> Answer:
    """Return the envelope of an answer. Raises ParseError."""
    with reading(what, text):
        return _ANSWER.decode(text)


def shaped(what: str, value: object, shape: type[T]) -> T:
    """Return `value` checked against `shape`. Raises ParseError."""
    with reading(what, value):
        return msgspec.convert(value, shape)


def page(what: str, text: str) -> tuple[list[Any], str]:
    """Return the rows of one page of a list, and the cursor of the next; empty on the last. Raises ParseError."""
    found = shaped(what, answer(what, text).result, Page)
    return found.rows or [], found.nextPageCursor


# --- orders -------------------------------------------------------------------------------------------------------


def order_report(row: OrderRow, source: ReportSource, received: datetime) -> OrderReport:
    """Return what a row says of its order. The reason of an end is the venue's own word for it."""
    status = _STATUSES.get(row.orderStatus)
    if status is None:
        raise InvalidValue("orderStatus", row.orderStatus, ", ".join(_STATUSES))
    require_one_way(row.positionIdx)
    side(row.side)
    triggered = optional_number("triggerPrice", row.triggerPrice) is not None
    return OrderReport(
        source=source,
        client_order_id=client_order_id(row.orderLinkId),
        venue_order_id=row.orderId or None,
        status=status,
        time_exchange=time_of("updatedTime", row.updatedTime),
        time_received=received,
        filled_quantity=Quantity(number("cumExecQty", row.cumExecQty)),
        reason=_reason(row, status),
        triggered=triggered and row.orderStatus in _WAITS_NO_MORE,
    )


def order_reports(items: Sequence[object], source: ReportSource, received: datetime) -> Rows[OrderReport]:
    """Return the reports in rows of orders, in their order."""
    return rows("order", items, OrderRow, lambda row: order_report(row, source, received))


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as the venue has it, beside the report of it: what it is now, in numbers."""

    report: OrderReport
    price: Decimal | None
    quantity: Decimal


def seen(items: Sequence[object], received: datetime) -> dict[str, Seen]:
    """Return the orders in rows by their `orderLinkId`, as far as they can be read. Raises nothing for the others."""
    found = rows("order", items, OrderRow, lambda row: (row.orderLinkId, _seen(row, received)))
    return dict(found.read)


def open_orders(items: Sequence[object]) -> tuple[Rows[RestingOrder], list[UnreadOrder]]:
    """Return live orders, and the names of those that cannot be read."""
    by_row = [rows("open order", [item], OrderRow, _resting) for item in items]
    found = Rows(
        tuple(order for row in by_row for order in row.read),
        tuple(error for row in by_row for error in row.unreadable),
    )
    return found, [_unread(item) for item, row in zip(items, by_row, strict=True) if row.unreadable]


def _seen(row: OrderRow, received: datetime) -> Seen:
    report = order_report(row, ReportSource.SEND, received)
    return Seen(report, optional_number("price", row.price), number("qty", row.qty))


def _reason(row: OrderRow, status: OrderStatus) -> str:
    if status not in {OrderStatus.CANCELLED, OrderStatus.REJECTED}:
        return ""
    if row.rejectReason not in _NO_REASON:
        return row.rejectReason
    return row.orderStatus if row.cancelType in _NOT_CANCELLED else row.cancelType


def _resting(row: OrderRow) -> RestingOrder:
    require_one_way(row.positionIdx)
    quantity = number("qty", row.qty)
    trigger = optional_number("triggerPrice", row.triggerPrice)
    # An order that goes to the market once triggered says 0 for its price.
    price = optional_number("price", row.price) or trigger
    if price is None:
        raise InvalidValue("price", row.price, "a number above 0, unless there is a trigger price")
    return RestingOrder(
        symbol=row.symbol,
        venue_order_id=row.orderId,
        client_order_id=client_order_id(row.orderLinkId),
        side=side(row.side),
        price=Price(price),
        quantity=Quantity(quantity),
        remaining=Quantity(quantity - number("cumExecQty", row.cumExecQty)),
        reduce_only=row.reduceOnly,
        trigger_price=None if trigger is None else Price(trigger),
        time_exchange=time_of("createdTime", row.createdTime),
    )


def _unread(item: object) -> UnreadOrder:
    """Return what can be said of an order with an odd row: what is odd itself stays empty."""
    fields = item if isinstance(item, dict) else {}
    known = {name: fields.get(name) for name in ("symbol", "orderId", "orderLinkId")}
    symbol, order_id, link = (value if isinstance(value, str) else "" for value in known.values())
    return UnreadOrder(symbol, order_id, client_order_id(link), fields.get("reduceOnly") is True)


# --- executions ---------------------------------------------------------------------------------------------------


def execution(row: ExecutionRow, received: datetime) -> FillReport | FundingPayment:
    """Return the fill or the funding payment in a row. Raises InvalidValue for a kind that is neither."""
    return funding_payment(row, received) if row.execType == FUNDING else fill(row, received)


def executions(items: Sequence[object], received: datetime) -> Rows[FillReport | FundingPayment]:
    """Return what rows of executions say, in their order."""
    return rows("execution", items, ExecutionRow, lambda row: execution(row, received))


def fill(row: ExecutionRow, received: datetime) -> FillReport:
    """Return one fill of the account.

    The side is put behind the venue's id, so that both ends of a trade with ourselves have names of their own.
    """
    kind = _FILLS.get(row.execType)
    if kind is None:
        raise InvalidValue("execType", row.execType, ", ".join((*_FILLS, FUNDING)))
    if not row.execId:
        raise InvalidValue("execId", row.execId, "the venue's name of the fill")
    return FillReport(
        venue_trade_id=f"{row.execId}-{side(row.side).value}",
        venue_order_id=row.orderId,
        client_order_id=client_order_id(row.orderLinkId),
        symbol=row.symbol,
        side=side(row.side),
        price=Price(number("execPrice", row.execPrice)),
        quantity=Quantity(number("execQty", row.execQty)),
        fee=money("execFee", row.execFee, row.feeCurrency or quote_of(row.symbol)),
        liquidity=Liquidity.MAKER if row.isMaker else Liquidity.TAKER,
        time_exchange=time_of("execTime", row.execTime),
        time_received=received,
        kind=kind,
    )


def funding_payment(row: ExecutionRow, received: datetime) -> FundingPayment:
    """Return one funding payment; positive when received.

    `execFee` is a fee: above zero the account paid. `side` is the position's, and `feeRate` the rate as that side
    sees it, the market's for a long position and its opposite for a short one.
    """
    held = side(row.side)
    return FundingPayment(
        symbol=row.symbol,
        amount=Money(-number("execFee", row.execFee), row.feeCurrency or quote_of(row.symbol)),
        rate=number("feeRate", row.feeRate) * held.sign,
        position=SignedQuantity(number("execQty", row.execQty) * held.sign),
        time_exchange=time_of("execTime", row.execTime),
        time_received=received,
    )


def time_of(field: str, text: str) -> datetime:
    """Return the moment in a text of milliseconds. Raises InvalidValue."""
    stamp = number(field, text)
    if not 0 < stamp < _LATEST_MS or stamp != stamp.to_integral_value():
        raise InvalidValue(field, text, "milliseconds since 1970")
    return from_milliseconds(int(stamp))
