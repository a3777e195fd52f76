"""Hyperliquid's orders, fills and accounts as domain values. Pure: JSON in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except
for a row among others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar
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
from apps.exchanges.venues.hyperliquid.config import MIN_NOTIONAL_USDC, QUOTE_CURRENCY
from apps.exchanges.venues.hyperliquid.messages import (
    ClearinghouseState,
    FillMessage,
    FundingMessage,
    FundingRow,
    Meta,
    OrderMessage,
    OrderStatusAnswer,
    OrderUpdateMessage,
    PositionMessage,
    SpotMeta,
)
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity, finite_decimal

T = TypeVar("T")

# https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/tick-and-lot-size
PERPETUAL_PRICE_DECIMALS = 6
SIGNIFICANT_FIGURES = 5
FIRST_SPOT_NUMBER = 10_000
_MARK_PLACES = Decimal("1e-8")
_CLOID_DIGITS = 32
_DELEVERAGED = "Auto-Deleveraging"
_CANCELLED_WORDS = frozenset({"canceled", "scheduledCancel", "internalCancel"})


def shaped(what: str, answer: object, shape: type[T]) -> T:
    """Return `answer` checked against `shape`. Raises ParseError."""
    with reading(what, answer):
        return msgspec.convert(answer, shape)


def side(letter: str) -> Side:
    """Return the side that the venue calls B (bid) or A (ask)."""
    return Side.BUY if letter == "B" else Side.SELL


def client_order_id(text: str | None) -> UUID | None:
    """Return the client order id in `text`; None when the order carries none."""
    if text is None:
        return None
    digits = text.removeprefix("0x")
    if len(digits) != _CLOID_DIGITS or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise InvalidValue("cloid", text, "0x and 32 hex digits")
    return UUID(hex=digits)


def number(field: str, text: str) -> Decimal:
    """Return a number that the venue wrote as text. Raises InvalidValue."""
    return finite_decimal(field, text)


def fill(message: FillMessage, account_address: str, received: datetime) -> FillReport:
    """Return one fill of the account.

    The venue's `tid` is a 50-bit hash that both sides of a trade share, so the order id is put
    before it: together they are unique for ever, even when we trade with ourselves.
    """
    return FillReport(
        venue_trade_id=f"{message.oid}-{message.tid}",
        venue_order_id=str(message.oid),
        client_order_id=client_order_id(message.cloid),
        symbol=message.coin,
        side=side(message.side),
        price=Price(number("px", message.px)),
        quantity=Quantity(number("sz", message.sz)),
        fee=Money(number("fee", message.fee), message.feeToken),
        liquidity=Liquidity.TAKER if message.crossed else Liquidity.MAKER,
        time_exchange=from_milliseconds(message.time),
        time_received=received,
        kind=_kind(message, account_address),
    )


def fills(answer: object, account_address: str, received: datetime) -> Rows[FillReport]:
    """Return the fills of a userFills or userFillsByTime answer, or of the stream, in its order."""
    items = shaped("fills", answer, list[object])
    return rows("fill", items, FillMessage, lambda message: fill(message, account_address, received))


def funding_payment(message: FundingMessage, received: datetime) -> FundingPayment:
    """Return one funding payment; positive when received."""
    return FundingPayment(
        symbol=message.coin,
        amount=Money(number("usdc", message.usdc), QUOTE_CURRENCY),
        rate=number("fundingRate", message.fundingRate),
        position=SignedQuantity(number("szi", message.szi)),
        time_exchange=from_milliseconds(message.time),
        time_received=received,
    )


def funding(answer: object, received: datetime) -> Rows[FundingPayment]:
    """Return the payments of a userFunding answer, in its order."""
    items = shaped("funding", answer, list[object])
    return rows("funding", items, FundingRow, lambda row: funding_payment(_flat(row), received))


def streamed_funding(items: Sequence[object], received: datetime) -> Rows[FundingPayment]:
    """Return the payments of a `userFundings` message, in its order."""
    return rows("funding", items, FundingMessage, lambda message: funding_payment(message, received))


def order_update(message: OrderUpdateMessage, source: ReportSource, received: datetime) -> OrderReport:
    """Return what one order update says; the venue's own status word becomes the reason."""
    order = message.order
    status = _status(message)
    filled = None
    if status in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}:
        # In final states other than filled `sz` is not documented, so nothing is concluded from it.
        filled = Quantity(number("origSz", order.origSz) - number("sz", order.sz))
    return OrderReport(
        source=source,
        client_order_id=client_order_id(order.cloid),
        venue_order_id=str(order.oid),
        status=status,
        time_exchange=from_milliseconds(message.statusTimestamp),
        time_received=received,
        filled_quantity=filled,
        reason="" if message.status in {"open", "filled"} else message.status,
        triggered=message.status == "triggered",
    )


def order_updates(items: Sequence[object], source: ReportSource, received: datetime) -> Rows[OrderReport]:
    """Return the reports of an `orderUpdates` message, in its order."""
    return rows("order update", items, OrderUpdateMessage, lambda message: order_update(message, source, received))


def order_status(answer: object, received: datetime) -> OrderReport | None:
    """Return the report of an orderStatus answer; None when the venue never heard of the order."""
    parsed = shaped("order status", answer, OrderStatusAnswer)
    if parsed.status == "unknownOid":
        return None
    if parsed.order is None:
        raise ParseError("order status", "status is order but there is none", answer)
    with reading("order status", answer):
        return order_update(parsed.order, ReportSource.RECONCILE, received)


def open_orders(answer: object) -> tuple[Rows[RestingOrder], list[UnreadOrder]]:
    """Return the orders of a frontendOpenOrders answer, and the names of those that cannot be read."""
    items = shaped("open orders", answer, list[object])
    by_row = [rows("open order", [item], OrderMessage, _resting) for item in items]
    found = Rows(
        tuple(order for row in by_row for order in row.read),
        tuple(error for row in by_row for error in row.unreadable),
    )
    return found, [_unread(item) for item, row in zip(items, by_row, strict=True) if row.unreadable]


def account_snapshot(answer: object, received: datetime) -> AccountSnapshot:
    """Return the account of a clearinghouseState answer."""
    state = shaped("account", answer, ClearinghouseState)
    with reading("account", answer):
        return AccountSnapshot(
            equity=_money("accountValue", state.marginSummary.accountValue),
            withdrawable=_money("withdrawable", state.withdrawable),
            margin_used=_money("totalMarginUsed", state.marginSummary.totalMarginUsed),
            positions=tuple(_position(row.position) for row in state.assetPositions if number("szi", row.position.szi)),
            time_exchange=None if state.time is None else from_milliseconds(state.time),
            time_received=received,
        )


def listings(answer: object, venue_code: str) -> list[Listing]:
    """Return the instruments of a meta answer; delisted ones are left out but keep their number."""
    meta = shaped("instruments", answer, Meta)
    with reading("instruments", answer):
        return [
            Listing(_instrument(asset.name, asset.szDecimals, asset.maxLeverage, venue_code), index)
            for index, asset in enumerate(meta.universe)
            if not asset.isDelisted
        ]


def perpetual_numbers(answer: object) -> dict[str, int]:
    """Return the asset number of every perpetual of a meta answer, delisted ones included."""
    return {asset.name: index for index, asset in enumerate(shaped("instruments", answer, Meta).universe)}


def spot_numbers(answer: object) -> dict[str, int]:
    """Return the asset number of every pair of a spotMeta answer."""
    pairs = shaped("spot pairs", answer, SpotMeta).universe
    return {pair.name: FIRST_SPOT_NUMBER + pair.index for pair in pairs}


def _kind(message: FillMessage, account_address: str) -> FillKind:
    if message.dir == _DELEVERAGED:
        return FillKind.DELEVERAGING
    # The field also appears on the fills of whoever took the other side; those are ordinary.
    liquidation = message.liquidation
    if liquidation is not None and liquidation.liquidatedUser.lower() == account_address.lower():
        return FillKind.LIQUIDATION
    return FillKind.ORDER


def _flat(row: FundingRow) -> FundingMessage:
    delta = row.delta
    return FundingMessage(row.time, delta.coin, delta.usdc, delta.szi, delta.fundingRate)


def _status(message: OrderUpdateMessage) -> OrderStatus:
    word = message.status
    if word == "open":
        partly = number("sz", message.order.sz) < number("origSz", message.order.origSz)
        return OrderStatus.PARTIALLY_FILLED if partly else OrderStatus.OPEN
    if word == "triggered":
        return OrderStatus.OPEN
    if word == "filled":
        return OrderStatus.FILLED
    if word in _CANCELLED_WORDS or word.endswith("Canceled"):
        return OrderStatus.CANCELLED
    if word == "rejected" or word.endswith("Rejected"):
        return OrderStatus.REJECTED
    raise InvalidValue("order status", word, "a status the venue documents")


def _resting(message: OrderMessage) -> RestingOrder:
    return RestingOrder(
        symbol=message.coin,
        venue_order_id=str(message.oid),
        client_order_id=client_order_id(message.cloid),
        side=side(message.side),
        price=Price(number("limitPx", message.limitPx)),
        quantity=Quantity(number("origSz", message.origSz)),
        remaining=Quantity(number("sz", message.sz)),
        reduce_only=message.reduceOnly,
        trigger_price=Price(number("triggerPx", message.triggerPx)) if message.isTrigger else None,
        time_exchange=from_milliseconds(message.timestamp),
    )


def _unread(item: object) -> UnreadOrder:
    """Return what can be said of an order with an odd row: what is odd itself stays empty."""
    fields = item if isinstance(item, dict) else {}
    symbol, number_ = fields.get("coin"), str(fields.get("oid"))
    try:
        name = client_order_id(fields.get("cloid"))
    except (InvalidValue, AttributeError):
        name = None
    return UnreadOrder(
        symbol=symbol if isinstance(symbol, str) else "",
        venue_order_id=number_ if number_.isdecimal() else "",
        client_order_id=name,
        reduce_only=fields.get("reduceOnly") is True,
    )


def _position(message: PositionMessage) -> PositionSnapshot:
    quantity = SignedQuantity(number("szi", message.szi))
    worth = number("positionValue", message.positionValue)
    # Marks have at most 6 - szDecimals decimals and sizes szDecimals, so the division comes out even.
    mark = (worth / quantity.size.value).quantize(_MARK_PLACES, ROUND_HALF_EVEN).normalize()
    return PositionSnapshot(
        symbol=message.coin,
        quantity=quantity,
        entry_price=None if message.entryPx is None else Price(number("entryPx", message.entryPx)),
        mark_price=Price(mark),
        value=Money(worth * quantity.side.sign, QUOTE_CURRENCY),
        unrealised=_money("unrealizedPnl", message.unrealizedPnl),
        leverage=message.leverage.value,
    )


def _instrument(name: str, size_decimals: int, max_leverage: int, venue_code: str) -> Instrument:
    if not 0 <= size_decimals <= PERPETUAL_PRICE_DECIMALS:
        raise InvalidValue("szDecimals", size_decimals, f"0 to {PERPETUAL_PRICE_DECIMALS}")
    return Instrument(
        venue=venue_code,
        symbol=name,
        asset=name,
        quote=QUOTE_CURRENCY,
        price_grid=PriceGrid(Decimal(1).scaleb(size_decimals - PERPETUAL_PRICE_DECIMALS), SIGNIFICANT_FIGURES),
        lot=Quantity(Decimal(1).scaleb(-size_decimals)),
        min_notional=_money("min_notional", MIN_NOTIONAL_USDC),
        max_leverage=max_leverage,
    )


def _money(field: str, text: str) -> Money:
    return Money(number(field, text), QUOTE_CURRENCY)
