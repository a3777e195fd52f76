"""Binance's orders, fills and accounts as domain values. Pure: text in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except for a row among
others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from apps.exchanges.ports import (
    AccountSnapshot,
    Listing,
    ParseError,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
    UnreadOrder,
)
from apps.exchanges.venues.binance.config import QUOTE_CURRENCY
from apps.exchanges.venues.binance.messages import (
    AccountAnswer,
    AlgoRow,
    AssetRow,
    ErrorBody,
    ExchangeInfo,
    FundingRow,
    IncomeRow,
    OrderRow,
    PositionRow,
    SymbolRow,
    TradeRow,
)
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillReport, Liquidity
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity, finite_decimal

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
ALGO_RELEASED = frozenset({"TRIGGERING", "TRIGGERED", "FINISHED"})
TRAILING = "TRAILING_STOP_MARKET"
_UUID_CHARACTERS = 36
_MARK_PLACES = Decimal("1e-8")
_HUNDRED = Decimal(100)
_PERPETUAL, _TRADING = "PERPETUAL", "TRADING"
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


def account_snapshot(text: str, received: datetime) -> AccountSnapshot:
    """Return the account of a v3/account answer: what it holds in USDT, positions included.

    Everything comes from one answer, so that equity and positions are of one moment. Entry price, mark and leverage
    are not told there; they follow from what is. Other currencies of the account are not counted.
    """
    answer = decoded("account", text, AccountAnswer)
    with reading("account", text):
        held = next((row for row in answer.assets if row.asset == QUOTE_CURRENCY), _NOTHING)
        return AccountSnapshot(
            equity=_money("marginBalance", held.marginBalance),
            withdrawable=_money("availableBalance", held.availableBalance),
            margin_used=_money("initialMargin", held.initialMargin),
            positions=tuple(_position(row) for row in answer.positions if number("positionAmt", row.positionAmt)),
            time_exchange=None,
            time_received=received,
        )


def symbols_in_use(text: str) -> frozenset[str]:
    """Return the symbols of a v3/account answer: it has a row for each in which there are orders or a position."""
    return frozenset(row.symbol for row in decoded("account", text, AccountAnswer).positions)


def listings(text: str, venue_code: str) -> Rows[Listing]:
    """Return the perpetuals of exchangeInfo that trade, margined in USDT; their number is their place in the list."""
    items = decoded("instruments", text, ExchangeInfo).symbols
    numbered = [(place, item) for place, item in enumerate(items) if _is_ours(item)]
    by_row = [
        rows("instrument", [item], SymbolRow, partial(_listing, venue_code=venue_code, place=place))
        for place, item in numbered
    ]
    return Rows(
        tuple(listing for row in by_row for listing in row.read),
        tuple(error for row in by_row for error in row.unreadable),
    )


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


def _position(row: PositionRow) -> PositionSnapshot:
    if row.positionSide != "BOTH":
        # Two positions in one symbol cannot be told apart here; refusing is better than adding them up.
        raise InvalidValue("positionSide", row.positionSide, "BOTH: the account must be in one-way mode")
    quantity, worth = number("positionAmt", row.positionAmt), number("notional", row.notional)
    gain, margin = number("unrealizedProfit", row.unrealizedProfit), number("initialMargin", row.initialMargin)
    return PositionSnapshot(
        symbol=row.symbol,
        quantity=SignedQuantity(quantity),
        entry_price=Price(((worth - gain) / quantity).quantize(_MARK_PLACES).normalize()),
        mark_price=Price((worth / quantity).quantize(_MARK_PLACES).normalize()),
        value=Money(worth, QUOTE_CURRENCY),
        unrealised=Money(gain, QUOTE_CURRENCY),
        leverage=max(1, round(abs(worth) / margin)) if margin else 1,
    )


def _is_ours(item: object) -> bool:
    """Return whether an entry is, or may be, a perpetual of ours that trades; the reader refuses what is odd."""
    if not isinstance(item, dict):
        return True
    rule = (item.get("contractType"), item.get("status"), item.get("quoteAsset"), item.get("marginAsset"))
    return rule == (_PERPETUAL, _TRADING, QUOTE_CURRENCY, QUOTE_CURRENCY) or None in rule


def _answer(item: dict[str, Any]) -> OrderRow | ErrorBody:
    if "code" in item:
        return msgspec.convert(item, ErrorBody)
    return msgspec.convert(item, OrderRow)


def _listing(row: SymbolRow, venue_code: str, place: int) -> Listing:
    return Listing(_instrument(row, venue_code), place)


def _instrument(row: SymbolRow, venue_code: str) -> Instrument:
    tick, lot, least = (
        _rule(row.filters, kind, field)
        for kind, field in (("PRICE_FILTER", "tickSize"), ("LOT_SIZE", "stepSize"), ("MIN_NOTIONAL", "notional"))
    )
    return Instrument(
        venue=venue_code,
        symbol=row.symbol,
        asset=row.baseAsset,
        quote=row.quoteAsset,
        price_grid=PriceGrid(tick.normalize()),
        lot=Quantity(lot.normalize()),
        min_notional=Money(least, row.quoteAsset),
        # How far leverage goes the venue tells only with a key, and refuses what is too much.
    )


def _rule(filters: Sequence[Any], kind: str, field: str) -> Decimal:
    for rule in filters:
        if rule.filterType == kind and getattr(rule, field) is not None:
            return number(field, getattr(rule, field))
    raise InvalidValue("filters", [rule.filterType for rule in filters], f"{kind} with {field}")


def _money(field: str, text: str) -> Money:
    return Money(number(field, text), QUOTE_CURRENCY)


_NOTHING = AssetRow(QUOTE_CURRENCY, "0", "0", "0")
