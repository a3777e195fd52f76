"""Phemex's orders, fills and accounts as domain values. Pure: text in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except for a row among
others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from apps.exchanges.ports import (
    AccountSnapshot,
    FundingPayment,
    Listing,
    ParseError,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
    UnreadOrder,
)
from apps.exchanges.venues.phemex.config import QUOTE_CURRENCY
from apps.exchanges.venues.phemex.messages import (
    AccountPositions,
    AccountSymbols,
    FundingPage,
    FundingRow,
    OrderPage,
    OrderRow,
    PastOrder,
    PositionRow,
    Product,
    ProductKind,
    Products,
    TradeKind,
    TradeRow,
)
from apps.exchanges.venues.phemex.words import (
    client_order_id,
    data,
    fee,
    fill_kind,
    fill_name,
    liquidity,
    moment,
    money,
    number,
    require_usdt,
    side,
    signed_size,
    status,
)
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillReport
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import ZERO, Price, Quantity

_PERPETUAL, _LISTED = "PerpetualV2", "Listed"
_REDUCING = frozenset({"ReduceOnly", "CloseOnTrigger"})


def live_report(text: str, client_id: UUID, received: datetime) -> OrderReport | None:
    """Return the report of our order in an activeList answer; None when it is not among the live ones."""
    items = data("open orders", text, OrderPage).rows
    found = rows("open order", items, OrderRow, lambda row: row)
    ours = [row for row in found.read if client_order_id(row.clOrdID) == client_id]
    if not ours:
        return None
    row = ours[0]
    with reading("open order", row):
        filled = number("cumQtyRq", row.cumQtyRq)
        return OrderReport(
            source=ReportSource.RECONCILE,
            client_order_id=client_id,
            venue_order_id=row.orderID,
            status=status(row.ordStatus, filled),
            time_exchange=moment(row.transactTimeNs),
            time_received=received,
            filled_quantity=Quantity(filled),
            triggered=row.ordStatus == "Triggered",
        )


def past_report(text: str, client_id: UUID, received: datetime) -> OrderReport | None:
    """Return the report of the newest order of a by-order-id answer; None when the venue never heard of it."""
    found = data("order", text, list[PastOrder])
    named = [row for row in found if client_order_id(row.clOrdId) == client_id]
    if not named:
        return None
    row = max(named, key=lambda one: one.transactTimeNs)
    with reading("order", row):
        filled = number("cumQtyRq", row.cumQtyRq)
        said = status(row.ordStatus, filled)
        return OrderReport(
            source=ReportSource.RECONCILE,
            client_order_id=client_id,
            venue_order_id=row.orderId,
            status=said,
            time_exchange=moment(row.transactTimeNs),
            time_received=received,
            filled_quantity=Quantity(filled),
            reason="" if said is not OrderStatus.REJECTED else row.ordStatus,
            triggered=row.ordStatus == "Triggered",
        )


def open_orders(text: str) -> tuple[Rows[RestingOrder], list[UnreadOrder]]:
    """Return the orders of an activeList answer, and the names of those that cannot be read.

    How to ask for what does not fit one answer is not documented, so that there is more is told like an odd row.
    """
    page = data("open orders", text, OrderPage)
    items = page.rows
    by_row = [rows("open order", [item], OrderRow, _resting) for item in items]
    beyond = [ParseError("open orders", "there are more than one answer tells", page.nextPageArg)]
    found = Rows(
        tuple(order for row in by_row for order in row.read),
        (*(error for row in by_row for error in row.unreadable), *(beyond if page.nextPageArg else ())),
    )
    return found, [_unread(item) for item, row in zip(items, by_row, strict=True) if row.unreadable]


def fills(text: str, received: datetime) -> Rows[FillReport]:
    """Return the fills of a trades answer, in its order; funding is told in the same list and left out."""
    items = data("fills", text, list[object])
    kinds = [_kind_of(item) for item in items]
    trades = [item for item, kind in zip(items, kinds, strict=True) if kind != "Funding"]
    return rows("fill", trades, TradeRow, lambda row: _fill(row, received))


def count(text: str) -> int:
    """Return how many rows a list has, whatever they are."""
    return len(data("list", text, list[object]))


def account_snapshot(text: str, received: datetime) -> AccountSnapshot:
    """Return the account of an accountPositions answer.

    `accountBalanceRv` leaves open positions out of account, so equity is it and what they have won or lost at the
    mark; without their whole value it is the cash, exactly, whatever the mark.
    """
    told = data("account", text, AccountPositions)
    with reading("account", text):
        require_usdt(told.account.currency)
        positions = tuple(_position(row) for row in told.positions if number("size", row.size))
        balance = number("accountBalanceRv", told.account.accountBalanceRv)
        used = number("totalUsedBalanceRv", told.account.totalUsedBalanceRv)
        won = sum((position.unrealised.value for position in positions), ZERO)
        # What is lost on paper cannot be spent, what is won on paper neither.
        free = max(balance + min(won, ZERO) - used, ZERO)
        return AccountSnapshot(
            equity=money(balance + won),
            withdrawable=money(free),
            margin_used=money(used),
            positions=positions,
            time_exchange=None,
            time_received=received,
        )


def touched_symbols(text: str) -> list[str]:
    """Return the symbols an account has dealt in: each has a row of its own, flat or not."""
    return list(dict.fromkeys(row.symbol for row in data("account", text, AccountSymbols).positions))


def funding(text: str, received: datetime) -> Rows[FundingPayment]:
    """Return the payments of a funding-fees answer, in its order."""
    items = data("funding", text, FundingPage).rows
    return rows("funding", items, FundingRow, lambda row: _payment(row, received))


def listings(text: str, venue_code: str) -> Rows[Listing]:
    """Return the USDT perpetuals that are listed; contracts of other kinds are nobody's business."""
    items = data("instruments", text, Products).perpProductsV2
    ours = [item for item in items if _is_ours(item)]
    return rows("instrument", ours, Product, lambda row: Listing(_instrument(row, venue_code), row.code))


def _kind_of(item: object) -> str:
    try:
        return msgspec.convert(item, TradeKind).tradeType
    except msgspec.ValidationError:
        return ""


def _fill(row: TradeRow, received: datetime) -> FillReport:
    return FillReport(
        venue_trade_id=fill_name(row.execID, row.side),
        venue_order_id=row.orderID,
        client_order_id=client_order_id(row.clOrdID),
        symbol=row.symbol,
        side=side(row.side),
        price=Price(number("execPriceRp", row.execPriceRp)),
        quantity=Quantity(number("execQtyRq", row.execQtyRq)),
        fee=fee(row.execFeeRv, str(row.ptFeeRv)),
        liquidity=liquidity(row.execStatus),
        time_exchange=moment(row.transactTimeNs),
        time_received=received,
        kind=fill_kind(row.tradeType),
    )


def _resting(row: OrderRow) -> RestingOrder:
    level, limit = number("stopPxRp", row.stopPxRp), number("priceRp", row.priceRp)
    quantity, filled = number("orderQtyRq", row.orderQtyRq), number("cumQtyRq", row.cumQtyRq)
    # An order that waits for its trigger shows nothing left, though all of it is to come: so we count ourselves.
    return RestingOrder(
        symbol=row.symbol,
        venue_order_id=row.orderID,
        client_order_id=client_order_id(row.clOrdID),
        side=side(row.side),
        # At the market there is no price; the level at which it starts is the nearest thing to one.
        price=Price(limit or level),
        quantity=Quantity(quantity),
        remaining=Quantity(quantity - filled),
        reduce_only=row.reduceOnly or row.execInst in _REDUCING,
        trigger_price=Price(level) if level else None,
        time_exchange=moment(row.actionTimeNs),
    )


def _unread(item: object) -> UnreadOrder:
    """Return what can be said of an order with an odd row: what is odd itself stays empty."""
    fields = item if isinstance(item, dict) else {}

    def word(name: str) -> str:
        value = fields.get(name)
        return value if isinstance(value, str) else ""

    reduces = fields.get("reduceOnly") is True or word("execInst") in _REDUCING
    return UnreadOrder(word("symbol"), word("orderID"), client_order_id(word("clOrdID")), reduces)


def _position(row: PositionRow) -> PositionSnapshot:
    quantity = signed_size(row.side, row.size)
    mark, paid = number("markPriceRp", row.markPriceRp), number("valueRv", row.valueRv)
    worth = quantity.value * mark
    entry = number("avgEntryPriceRp", row.avgEntryPriceRp)
    return PositionSnapshot(
        symbol=row.symbol,
        quantity=quantity,
        entry_price=Price(entry) if entry else None,
        mark_price=Price(mark),
        value=money(worth),
        unrealised=money(worth - paid * quantity.side.sign),
        # Below zero it is cross margin; the number is the leverage either way.
        leverage=int(abs(number("leverageRr", row.leverageRr))),
    )


def _payment(row: FundingRow, received: datetime) -> FundingPayment:
    require_usdt(row.currency)
    return FundingPayment(
        symbol=row.symbol,
        # A fee above zero was paid, one below was received.
        amount=money(-number("execFeeRv", row.execFeeRv)),
        rate=number("fundingRateRr", row.fundingRateRr),
        position=signed_size(row.side, row.execQtyRq),
        time_exchange=from_milliseconds(row.createTime),
        time_received=received,
    )


def _is_ours(item: object) -> bool:
    try:
        kind = msgspec.convert(item, ProductKind)
    except msgspec.ValidationError:
        # Not to be told apart, so it is read, and found odd by name.
        return True
    return (kind.type, kind.settleCurrency, kind.status) == (_PERPETUAL, QUOTE_CURRENCY, _LISTED)


def _instrument(row: Product, venue_code: str) -> Instrument:
    if row.maxLeverage < 1:
        raise InvalidValue("maxLeverage", row.maxLeverage, "1 or more")
    # One limit for orders of every kind; absent or zero in some products.
    most = number("maxOrderQtyRq", row.maxOrderQtyRq) if row.maxOrderQtyRq else None
    return Instrument(
        venue=venue_code,
        symbol=row.symbol,
        asset=row.baseCurrency,
        quote=row.settleCurrency,
        price_grid=PriceGrid(number("tickSize", row.tickSize)),
        lot=Quantity(number("qtyStepSize", row.qtyStepSize)),
        min_notional=money(number("minOrderValueRv", row.minOrderValueRv)),
        max_leverage=int(row.maxLeverage),
        max_market_quantity=Quantity(most) if most else None,
    )
