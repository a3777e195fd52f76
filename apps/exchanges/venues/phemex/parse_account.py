"""Phemex's account channel as domain events. Pure: a message in, events out.

Every row of `orders_p` is one event of an order, and a fill is one kind of event: the unified client loses both here,
because it expects an object where the venue sends a list. https://phemex-docs.github.io/#subscribe-account-order-position-aop
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from apps.exchanges.ports import (
    BalanceBatch,
    BalanceNews,
    FillBatch,
    OrderBatch,
    PositionBatch,
    PositionNews,
    ReportSource,
    Unreadable,
    UserEvent,
)
from apps.exchanges.venues.phemex.messages import TradeKind
from apps.exchanges.venues.phemex.stream_messages import AccountEvent, AccountMessage, OrderEvent, PositionEvent
from apps.exchanges.venues.phemex.words import (
    client_order_id,
    fee,
    fill_kind,
    fill_name,
    is_fill,
    liquidity,
    moment,
    number,
    side,
    signed_size,
    status,
)
from apps.exchanges.venues.rows import Rows, rows
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillReport
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Price, Quantity

# https://phemex-docs.github.io/#cxlrejreason-field
_REASONS: Mapping[str, str] = MappingProxyType({"100": "CE_NO_ENOUGH_QTY", "101": "CE_WILLCROSS"})
_FUNDING = "Funding"


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of an order: how it stands, and the fill when it was one."""

    report: OrderReport
    fill: FillReport | None


def account_events(message: AccountMessage, received: datetime) -> Iterator[UserEvent]:
    """Yield what a message says: fills first, then the orders they belong to, positions, money, odd rows."""
    snapshot = message.type == "snapshot"
    orders = order_events(message.orders_p, received)
    fills = tuple(heard.fill for heard in orders.read if heard.fill is not None)
    if fills:
        yield FillBatch(fills, snapshot)
    if orders.read:
        yield OrderBatch(tuple(heard.report for heard in orders.read))
    positions = rows("position", message.positions_p, PositionEvent, lambda row: _position(row, received))
    if positions.read or snapshot:
        held = tuple(news for news in positions.read if not snapshot or news.quantity.value)
        yield PositionBatch(held, snapshot)
    stamp = moment(message.timestamp)
    balances = rows("balance", message.accounts_p, AccountEvent, lambda row: _balance(row, stamp, received))
    if balances.read:
        yield BalanceBatch(balances.read)
    yield from _left_out(received, orders, positions, balances)


def order_events(items: Sequence[object], received: datetime) -> Rows[Heard]:
    """Return the events of orders. Funding is booked in the same list; it is nobody's order, and is asked for."""
    own = [item for item in items if _trade_type(item) != _FUNDING]
    return rows("order event", own, OrderEvent, lambda row: _heard(row, received))


def _heard(row: OrderEvent, received: datetime) -> Heard:
    filled = number("cumQty", row.cumQty)
    said = status(row.ordStatus, filled)
    report = OrderReport(
        source=ReportSource.STREAM,
        client_order_id=client_order_id(row.clOrdID),
        venue_order_id=_named("orderID", row.orderID),
        status=said,
        time_exchange=moment(row.transactTimeNs),
        time_received=received,
        filled_quantity=Quantity(filled),
        reason=_reason(row, said),
        triggered="Triggered" in (row.execStatus, row.ordStatus),
    )
    # A cancel carries its quantity where an execution does, so the word decides and not the number.
    return Heard(report, _fill(row, received) if is_fill(row.execStatus) else None)


def _fill(row: OrderEvent, received: datetime) -> FillReport:
    return FillReport(
        venue_trade_id=fill_name(row.execID, row.side),
        venue_order_id=row.orderID,
        client_order_id=client_order_id(row.clOrdID),
        symbol=row.symbol,
        side=side(row.side),
        price=Price(number("execPriceRp", row.execPriceRp)),
        quantity=Quantity(number("execQty", row.execQty)),
        fee=fee(row.execFeeRv, row.ptFeeRv),
        liquidity=liquidity(row.execStatus),
        time_exchange=moment(row.transactTimeNs),
        time_received=received,
        kind=fill_kind(row.tradeType),
    )


def _reason(row: OrderEvent, said: OrderStatus) -> str:
    code = str(row.cxlRejReason)
    if code != "0":
        return f"{code}: {_REASONS.get(code, 'refused by the matching engine')}"
    return row.message if said is OrderStatus.REJECTED else ""


def _position(row: PositionEvent, received: datetime) -> PositionNews:
    stamp = moment(row.transactTimeNs) if int(row.transactTimeNs) else None
    return PositionNews(row.symbol, signed_size(row.side, row.size), stamp, received)


def _balance(row: AccountEvent, stamp: datetime, received: datetime) -> BalanceNews:
    return BalanceNews(row.currency, number("accountBalanceRv", row.accountBalanceRv), stamp, received)


def _named(field: str, text: str) -> str:
    if not text:
        raise InvalidValue(field, text, "the venue's id of the order")
    return text


def _trade_type(item: object) -> str:
    try:
        return msgspec.convert(item, TradeKind).tradeType
    except msgspec.ValidationError:
        return ""


def _left_out(received: datetime, *found: Rows[Any]) -> Iterator[Unreadable]:
    reasons = tuple(str(error) for page in found for error in page.unreadable)
    if reasons:
        yield Unreadable(reasons, received)
