"""The indexer's orders, fills and accounts as domain values. Pure: JSON in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except for a row among
others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Context, Decimal
from typing import TypeVar
from uuid import UUID

import msgspec

from apps.exchanges.ports import (
    AccountSnapshot,
    FundingPayment,
    ParseError,
    PositionNews,
    PositionSnapshot,
    RestingOrder,
    UnreadOrder,
)
from apps.exchanges.venues.dydx.config import QUOTE_CURRENCY
from apps.exchanges.venues.dydx.messages import (
    AssetMessage,
    FillMessage,
    FillsMessage,
    FundingPaymentMessage,
    FundingPaymentsMessage,
    NamedOrder,
    OrderMessage,
    PositionMessage,
    SubaccountAnswer,
    SubaccountMessage,
)
from apps.exchanges.venues.dydx.names import FLAGS, SHORT_TERM, ChainName, Sent
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import require_aware
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity, finite_decimal

T = TypeVar("T")
# Our id of an order's number; None for a number we never drew.
Whose = Callable[[int], UUID | None]

_LARGEST_NUMBER = 2**32 - 1
# Oracle prices have at most so many figures; what a division adds behind them is not the venue's word.
_PRICE_FIGURES = Context(prec=15)
# By how much the parts of an account may miss its whole, in quote currency: the venue rounds average prices.
_TOLERANCE = Decimal("0.000001")
BEST_EFFORT_CANCELED = "BEST_EFFORT_CANCELED"
_LIVE = frozenset({"OPEN", "UNTRIGGERED", "BEST_EFFORT_OPENED"})
_KINDS: Mapping[str, FillKind] = {
    "LIMIT": FillKind.ORDER,
    "MARKET": FillKind.ORDER,
    "TWAP_SUBORDER": FillKind.ORDER,
    # A maker's fill against somebody else's liquidation is a trade like any other.
    "LIQUIDATION": FillKind.ORDER,
    "LIQUIDATED": FillKind.LIQUIDATION,
    "DELEVERAGED": FillKind.DELEVERAGING,
    "OFFSETTING": FillKind.DELEVERAGING,
}


def decoded(what: str, answer: str | bytes | msgspec.Raw, shape: type[T]) -> T:
    """Return the JSON in `answer` as `shape`. Raises ParseError."""
    with reading(what, shown(answer)):
        return msgspec.json.decode(answer, type=shape)


def shown(answer: str | bytes | msgspec.Raw) -> str | bytes:
    """Return what a person can read of `answer`: the evidence in an error."""
    return bytes(answer) if isinstance(answer, msgspec.Raw) else answer


def number(field: str, text: str) -> Decimal:
    """Return a number that the venue wrote as text. Raises InvalidValue."""
    return finite_decimal(field, text)


def moment(field: str, text: str) -> datetime:
    """Return a time that the venue wrote in ISO form. Raises InvalidValue when it has no offset."""
    return require_aware(field, datetime.fromisoformat(text))


def whole(field: str, text: str, largest: int = _LARGEST_NUMBER) -> int:
    """Return a whole number that the venue wrote as text. Raises InvalidValue."""
    # isdecimal alone would take digits of other scripts.
    if not (text.isascii() and text.isdecimal() and int(text) <= largest):
        raise InvalidValue(field, text, f"a whole number of 0 to {largest}")
    return int(text)


def side(word: str) -> Side:
    """Return the side that the venue calls BUY or SELL."""
    return Side.BUY if word == "BUY" else Side.SELL


def named(message: OrderMessage | NamedOrder, owner: str) -> Sent:
    """Return an order's name on the chain. Raises InvalidValue when its parts do not make its id."""
    flags = whole("orderFlags", message.orderFlags)
    if flags not in FLAGS:
        raise InvalidValue("orderFlags", message.orderFlags, ", ".join(map(str, FLAGS)))
    name = ChainName(owner, whole("clientId", message.clientId), flags, whole("clobPairId", message.clobPairId))
    if name.venue_order_id != message.id:
        raise InvalidValue("id", message.id, f"{name.venue_order_id}, which its parts make")
    last = message.goodTilBlock if isinstance(message, OrderMessage) and flags == SHORT_TERM else None
    return Sent(name, 0 if last is None else whole("goodTilBlock", last))


def order_report(message: OrderMessage, height: int, whose: Whose, source: str, received: datetime) -> OrderReport:
    """Return what the indexer says of an order, as of block `height`.

    Of a short-term order that was cancelled "with best effort" nothing is settled before its last block is over: until
    then a block may still bring a fill. Its status is None.
    """
    filled = Quantity(number("totalFilled", message.totalFilled))
    return OrderReport(
        source=source,
        client_order_id=whose(whole("clientId", message.clientId)),
        venue_order_id=message.id,
        status=_status(message, filled, height),
        time_exchange=None if message.updatedAt is None else moment("updatedAt", message.updatedAt),
        time_received=received,
        filled_quantity=filled,
        reason=message.removalReason,
        triggered=False,
    )


def resting(message: OrderMessage, whose: Whose) -> RestingOrder:
    """Return a live order."""
    if message.status not in _LIVE:
        raise InvalidValue("status", message.status, ", ".join(sorted(_LIVE)))
    size, filled = number("size", message.size), number("totalFilled", message.totalFilled)
    updated = message.updatedAt
    if updated is None:
        raise InvalidValue("updatedAt", updated, "the time of the order's last change")
    return RestingOrder(
        symbol=message.ticker,
        venue_order_id=message.id,
        client_order_id=whose(whole("clientId", message.clientId)),
        side=side(message.side),
        price=Price(number("price", message.price)),
        quantity=Quantity(size),
        remaining=Quantity(size - filled),
        reduce_only=message.reduceOnly,
        trigger_price=None if message.triggerPrice is None else Price(number("triggerPrice", message.triggerPrice)),
        time_exchange=moment("updatedAt", updated),
    )


def named_order(answer: str, owner: str) -> Sent:
    """Return the name of one order. Raises ParseError when its parts do not make its id."""
    with reading("order", answer):
        return named(decoded("order", answer, NamedOrder), owner)


def named_orders(answer: str, owner: str) -> Rows[Sent]:
    """Return the names of an answer's orders, of those too of which nothing else can be read."""
    items = decoded("open orders", answer, list[object])
    return rows("order", items, NamedOrder, lambda message: named(message, owner))


def open_orders(answer: str, whose: Whose) -> tuple[Rows[RestingOrder], list[UnreadOrder]]:
    """Return the live orders of an answer, and by name only those that cannot be read."""
    items = decoded("open orders", answer, list[object])
    each = [rows("open order", [item], OrderMessage, lambda message: resting(message, whose)) for item in items]
    good = tuple(order for row in each for order in row.read)
    bad = tuple(error for row in each for error in row.unreadable)
    return Rows(good, bad), [_unread(item) for item, row in zip(items, each, strict=True) if not row.read]


def fill(message: FillMessage, whose: Callable[[str], UUID | None], received: datetime) -> FillReport:
    """Return one fill of the account. The indexer's id of it is one side of one trade, and never comes again."""
    kind = _KINDS.get(message.type)
    if kind is None:
        raise InvalidValue("type", message.type, ", ".join(_KINDS))
    symbol = message.market or message.ticker
    if not symbol:
        raise InvalidValue("market", symbol, "the ticker of a market")
    return FillReport(
        venue_trade_id=message.id,
        # A liquidation has no order; a report has to name something.
        venue_order_id=message.orderId or message.id,
        client_order_id=None if message.orderId is None else whose(message.orderId),
        symbol=symbol,
        side=side(message.side),
        price=Price(number("price", message.price)),
        quantity=Quantity(number("size", message.size)),
        fee=Money(number("fee", message.fee), QUOTE_CURRENCY),
        liquidity=Liquidity.TAKER if message.liquidity == "TAKER" else Liquidity.MAKER,
        time_exchange=moment("createdAt", message.createdAt),
        time_received=received,
        kind=kind,
    )


def fills(answer: str, whose: Callable[[str], UUID | None], received: datetime) -> Rows[FillReport]:
    """Return the fills of an answer, newest first."""
    items = decoded("fills", answer, FillsMessage).fills
    return streamed_fills(items, whose, received)


def streamed_fills(items: list[object], whose: Callable[[str], UUID | None], received: datetime) -> Rows[FillReport]:
    """Return fills of the stream, in its order."""
    return rows("fill", items, FillMessage, lambda message: fill(message, whose, received))


def funding_payments(answer: str, received: datetime) -> Rows[FundingPayment]:
    """Return the funding payments of an answer, newest first; positive when received."""
    items = decoded("funding payments", answer, FundingPaymentsMessage).fundingPayments
    return rows("funding payment", items, FundingPaymentMessage, lambda message: _funding(message, received))


def account_snapshot(answer: str, leverage: Mapping[str, int], received: datetime) -> AccountSnapshot:
    """Return an account: worth, and positions at the oracle price, which is what the chain values them at.

    The venue does not name that price here. It follows from a position's unrealised profit and average price, of which
    the latter is rounded far behind the point; what that leaves over goes to the largest position, so that cash and
    values add up to the equity the venue states, to the last decimal. Raises ParseError when they miss it by more.
    """
    with reading("subaccount", answer):
        message = decoded("subaccount", answer, SubaccountAnswer).subaccount
        equity = number("equity", message.equity)
        cash = sum((asset_amount(asset) for asset in message.assetPositions.values()), Decimal(0))
        positions = [
            _position(held, leverage) for held in message.openPerpetualPositions.values() if held.status == "OPEN"
        ]
        positions = _reconciled(positions, equity - cash)
        free = number("freeCollateral", message.freeCollateral)
        return AccountSnapshot(
            equity=Money(equity, QUOTE_CURRENCY),
            withdrawable=Money(max(free, Decimal(0)), QUOTE_CURRENCY),
            margin_used=Money(equity - free, QUOTE_CURRENCY),
            positions=tuple(positions),
            time_exchange=None,
            time_received=received,
        )


def asset_amount(message: AssetMessage) -> Decimal:
    """Return what an account has of an asset; below zero when it owes it. Raises InvalidValue for any but USDC."""
    if message.symbol != QUOTE_CURRENCY:
        raise InvalidValue("symbol", message.symbol, QUOTE_CURRENCY)
    amount = Quantity(number("size", message.size)).value
    return amount if message.side == "LONG" else -amount


def position_news(message: PositionMessage, received: datetime) -> PositionNews:
    """Return a position of the stream."""
    size = number("size", message.size) if message.status == "OPEN" else Decimal(0)
    return PositionNews(message.market, SignedQuantity(size), None, received)


def first_positions(message: SubaccountMessage, received: datetime) -> tuple[PositionNews, ...]:
    """Return every position an account's stream begins with."""
    return tuple(position_news(held, received) for held in message.openPerpetualPositions.values())


def _status(message: OrderMessage, filled: Quantity, height: int) -> OrderStatus | None:
    match message.status:
        case "OPEN" | "UNTRIGGERED" | "BEST_EFFORT_OPENED":
            return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
        case "FILLED":
            return OrderStatus.FILLED
        case "CANCELED":
            return OrderStatus.CANCELLED
        case _ if message.status == BEST_EFFORT_CANCELED:
            last = 0 if message.goodTilBlock is None else whole("goodTilBlock", message.goodTilBlock)
            return OrderStatus.CANCELLED if last <= height else None
    raise ParseError("order", f"a status nobody documented: {message.status}", message)


def _funding(message: FundingPaymentMessage, received: datetime) -> FundingPayment:
    return FundingPayment(
        symbol=message.ticker,
        amount=Money(number("payment", message.payment), QUOTE_CURRENCY),
        rate=number("rate", message.rate),
        position=SignedQuantity(number("size", message.size)),
        time_exchange=moment("createdAt", message.createdAt),
        time_received=received,
    )


def _position(message: PositionMessage, leverage: Mapping[str, int]) -> PositionSnapshot:
    if message.entryPrice is None or message.unrealizedPnl is None:
        raise InvalidValue("entryPrice", message.entryPrice, "an average price, and an unrealised profit beside it")
    size, entry = number("size", message.size), number("entryPrice", message.entryPrice)
    profit = number("unrealizedPnl", message.unrealizedPnl)
    if not size:
        raise InvalidValue("size", message.size, "a number other than 0")
    mark = _PRICE_FIGURES.plus((profit + size * entry) / size).normalize()
    value = size * mark
    return PositionSnapshot(
        symbol=message.market,
        quantity=SignedQuantity(size),
        entry_price=Price(entry),
        mark_price=Price(mark),
        value=Money(value, QUOTE_CURRENCY),
        unrealised=Money(profit, QUOTE_CURRENCY),
        leverage=leverage.get(message.market, 1),
    )


def _reconciled(positions: list[PositionSnapshot], worth: Decimal) -> list[PositionSnapshot]:
    """Return positions whose values add up to `worth`. Raises InvalidValue when they are further off than rounding."""
    missing = worth - sum((held.value.value for held in positions), Decimal(0))
    if not missing:
        return positions
    if not positions or abs(missing) > _TOLERANCE:
        raise InvalidValue("equity", worth, f"what the positions are worth, {worth - missing:f}")
    largest = max(range(len(positions)), key=lambda index: abs(positions[index].value.value))
    adjusted = positions[largest]
    positions[largest] = replace(adjusted, value=Money(adjusted.value.value + missing, QUOTE_CURRENCY))
    return positions


def _unread(item: object) -> UnreadOrder:
    """Return as much of a live order as can be read: enough to cancel it, if that much can."""
    fields = item if isinstance(item, dict) else {}
    symbol, name = fields.get("ticker"), fields.get("id")
    return UnreadOrder(
        symbol=symbol if isinstance(symbol, str) else "",
        venue_order_id=name if isinstance(name, str) else "",
        client_order_id=None,
        reduce_only=fields.get("reduceOnly") is True,
    )
