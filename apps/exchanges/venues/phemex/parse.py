"""Phemex's orders, fills and accounts as domain values. Pure: text in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except for a row among
others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

import msgspec

from apps.exchanges.ports import (
    AccountSnapshot,
    FundingPayment,
    Listing,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
    UnreadOrder,
)
from apps.exchanges.venues.phemex.config import QUOTE_CURRENCY
from apps.exchanges.venues.phemex.messages import (
    AccountPositions,
    AccountSymbols,
    Answer,
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
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import ZERO, Money, Price, Quantity, Side, SignedQuantity, finite_decimal

T = TypeVar("T")

NS_PER_MS = 1_000_000
# The venue's own token, in which fees may be paid.
FEE_TOKEN = "PT"  # noqa: S105 - a currency
_PERPETUAL, _LISTED = "PerpetualV2", "Listed"
_UUID_CHARACTERS = 36
_REDUCING = frozenset({"ReduceOnly", "CloseOnTrigger"})
_FILL_WORDS = MappingProxyType({"TakerFill": Liquidity.TAKER, "MakerFill": Liquidity.MAKER})
_KINDS = MappingProxyType(
    {"Trade": FillKind.ORDER, "LiqTrade": FillKind.LIQUIDATION, "AdlTrade": FillKind.DELEVERAGING}
)
_STATUSES: Mapping[str, OrderStatus] = MappingProxyType(
    {
        "Init": OrderStatus.OPEN,
        "Created": OrderStatus.OPEN,
        "New": OrderStatus.OPEN,
        "Untriggered": OrderStatus.OPEN,
        "Triggered": OrderStatus.OPEN,
        "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
        "Filled": OrderStatus.FILLED,
        "Canceled": OrderStatus.CANCELLED,
        "Deactivated": OrderStatus.CANCELLED,
        "Suspended": OrderStatus.CANCELLED,
        "Rejected": OrderStatus.REJECTED,
    }
)


def data(what: str, text: str, shape: type[T]) -> T:
    """Return what an answer carries, checked against `shape`. Raises ParseError."""
    with reading(what, text):
        return msgspec.json.decode(text, type=Answer[shape]).data  # type: ignore[valid-type]  # a shape known at run time


def number(field: str, text: str) -> Decimal:
    """Return a number that the venue wrote as text. Raises InvalidValue."""
    return finite_decimal(field, text)


def moment(nanoseconds: int | str) -> datetime:
    """Return the time of a stamp in nanoseconds, to the millisecond."""
    return from_milliseconds(int(nanoseconds) // NS_PER_MS)


def side(word: str) -> Side:
    """Return the side that the venue calls Buy or Sell."""
    return Side.BUY if word == "Buy" else Side.SELL


def client_order_id(text: str) -> UUID | None:
    """Return our client order id in `text`; None when the order carries none or somebody else's."""
    if len(text) != _UUID_CHARACTERS:
        return None
    try:
        name = UUID(text)
    except ValueError:
        return None
    # Only the form we write: another spelling of the same id is not how the venue knows the order.
    return name if str(name) == text else None


def status(word: str, filled: Decimal) -> OrderStatus:
    """Return an order's status. Raises InvalidValue for a word the venue does not document."""
    known = _STATUSES.get(word)
    if known is None:
        raise InvalidValue("ordStatus", word, ", ".join(_STATUSES))
    return OrderStatus.PARTIALLY_FILLED if known is OrderStatus.OPEN and filled else known


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
    """Return the orders of an activeList answer, and the names of those that cannot be read."""
    items = data("open orders", text, OrderPage).rows
    by_row = [rows("open order", [item], OrderRow, _resting) for item in items]
    found = Rows(
        tuple(order for row in by_row for order in row.read),
        tuple(error for row in by_row for error in row.unreadable),
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
            equity=_money(balance + won),
            withdrawable=_money(free),
            margin_used=_money(used),
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


def require_usdt(currency: str) -> None:
    """Raise InvalidValue when an account is told in another currency than the one we asked about."""
    if currency != QUOTE_CURRENCY:
        raise InvalidValue("currency", currency, QUOTE_CURRENCY)


def fee(paid: str, in_token: str) -> Money:
    """Return a fee: in the quote currency, or in the venue's token when it was paid in that."""
    amount, token = number("execFeeRv", paid), number("ptFeeRv", in_token)
    return Money(token, FEE_TOKEN) if token and not amount else Money(amount, QUOTE_CURRENCY)


def fill_name(execution: str, word: str) -> str:
    """Return the name of a fill, unique even when both ends of a trade are ours. Raises InvalidValue without one."""
    if not execution:
        raise InvalidValue("execID", execution, "the venue's id of the execution")
    return f"{execution}-{word}"


def liquidity(word: str) -> Liquidity:
    """Return whether a fill took or made the market. Raises InvalidValue for another word."""
    known = _FILL_WORDS.get(word)
    if known is None:
        raise InvalidValue("execStatus", word, ", ".join(_FILL_WORDS))
    return known


def is_fill(word: str) -> bool:
    """Return whether an execution status is one of a fill."""
    return word in _FILL_WORDS


def fill_kind(word: str) -> FillKind:
    """Return why it traded. Raises InvalidValue for a word the venue does not document."""
    known = _KINDS.get(word)
    if known is None:
        raise InvalidValue("tradeType", word, ", ".join(_KINDS))
    return known


def signed_size(word: str, size: str) -> SignedQuantity:
    """Return a position's size with its sign."""
    return SignedQuantity(number("size", size) * (-1 if word == "Sell" else 1))


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
        value=_money(worth),
        unrealised=_money(worth - paid * quantity.side.sign),
        # Below zero it is cross margin; the number is the leverage either way.
        leverage=int(abs(number("leverageRr", row.leverageRr))),
    )


def _payment(row: FundingRow, received: datetime) -> FundingPayment:
    require_usdt(row.currency)
    return FundingPayment(
        symbol=row.symbol,
        # A fee above zero was paid, one below was received.
        amount=_money(-number("execFeeRv", row.execFeeRv)),
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
    return Instrument(
        venue=venue_code,
        symbol=row.symbol,
        asset=row.baseCurrency,
        quote=row.settleCurrency,
        price_grid=PriceGrid(number("tickSize", row.tickSize)),
        lot=Quantity(number("qtyStepSize", row.qtyStepSize)),
        min_notional=_money(number("minOrderValueRv", row.minOrderValueRv)),
        max_leverage=int(row.maxLeverage),
    )


def _money(amount: Decimal) -> Money:
    return Money(amount, QUOTE_CURRENCY)
