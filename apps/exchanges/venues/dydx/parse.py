"""The indexer's orders, fills and accounts as domain values. Pure: JSON in, domain out.

Whatever does not fit is a `ParseError` with the evidence; nothing is guessed. It is raised, except for a row among
others: those come back as `Rows`, so that the good ones are not lost with the bad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import msgspec

from apps.exchanges.ports import (
    ParseError,
    RestingOrder,
    UnreadOrder,
)
from apps.exchanges.venues.dydx.config import QUOTE_CURRENCY
from apps.exchanges.venues.dydx.messages import (
    FillMessage,
    FillsMessage,
    NamedOrder,
    OrderMessage,
)
from apps.exchanges.venues.dydx.names import FLAGS, SHORT_TERM, ChainName, Sent
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import require_aware
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Money, Price, Quantity, Side, finite_decimal

T = TypeVar("T")
# Our id of an order's number; None for a number we never drew.
Whose = Callable[[int], UUID | None]

_LARGEST_NUMBER = 2**32 - 1
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
