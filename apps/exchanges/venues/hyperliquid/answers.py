"""What Hyperliquid answers to an action, as reports and errors.

The venue answers most refusals with HTTP 200, and its SDK hands them on as if nothing were wrong, so
every answer is looked into here. https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/error-responses
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from apps.exchanges.ports import Amendment, ParseError, ReportSource
from apps.exchanges.venues.hyperliquid.config import RETRY_AFTER_SECONDS
from apps.exchanges.venues.hyperliquid.messages import ActionAnswer, Outcome
from apps.exchanges.venues.hyperliquid.parse import number, shaped
from apps.exchanges.venues.rows import reading
from moondev.domain.errors import RateLimited, TradingError, VenueRejected
from moondev.domain.orders import OrderReport, OrderStatus, OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Quantity

Item = str | Outcome
R = TypeVar("R")

SILENT_SUCCESS = "acknowledged without a word about the order"
_TOO_MANY_REQUESTS = "Too many cumulative requests"
_WAITING = frozenset({"waitingForTrigger", "waitingForFill"})


def require_accepted(answer: object) -> list[Item]:
    """Return what an accepted request says per item (nothing for some actions).

    Raises RateLimited or VenueRejected when the venue refused the whole request, and ParseError
    when the answer is not one we know.
    """
    parsed = shaped("answer", answer, ActionAnswer)
    if isinstance(parsed.response, str):
        raise _refusal(parsed.response)
    if parsed.status == "err":
        raise ParseError("answer", "an error without a sentence", answer)
    return [] if parsed.response.data is None else list(parsed.response.data.statuses)


def reports(
    answer: object, requests: Sequence[R], read: Callable[[R, Item, datetime], OrderReport], received: datetime
) -> list[OrderReport]:
    """Return one report per request, in order.

    When the payload itself is bad the venue answers a whole batch with one error; it then belongs
    to every request of it. Any other difference in number is an answer we do not understand.
    """
    items = require_accepted(answer)
    if len(items) == 1 and len(requests) > 1 and isinstance(items[0], Outcome) and items[0].error is not None:
        items = items * len(requests)
    if len(items) != len(requests):
        raise ParseError("answer", f"{len(items)} statuses for {len(requests)} requests", answer)
    with reading("answer", answer):
        return [read(request, item, received) for request, item in zip(requests, items, strict=True)]


def placed(order: PlaceOrder, item: Item, received: datetime) -> OrderReport:
    """Return the report of one placed order."""
    name = order.client_order_id
    if isinstance(item, str):
        if item not in _WAITING:
            raise ParseError("answer", "not an outcome of placing", item)
        return _report(name, None, OrderStatus.OPEN, received, reason=item)
    if item.error is not None:
        return _report(name, None, OrderStatus.REJECTED, received, reason=item.error)
    if item.resting is not None:
        return _report(name, item.resting.oid, OrderStatus.OPEN, received)
    if item.filled is None:
        raise ParseError("answer", "neither resting, filled nor error", item)
    filled = Quantity(number("totalSz", item.filled.totalSz))
    return _report(name, item.filled.oid, _after_fill(order, filled), received, filled=filled)


def amended(amendment: Amendment, item: Item, received: datetime) -> OrderReport:
    """Return the report of one amendment; a refusal leaves open what is left of the order."""
    order = amendment.approved.request
    name = order.client_order_id
    if isinstance(item, str):
        return _report(name, None, None, received, reason=item)
    if item.error is not None:
        return _report(name, None, None, received, reason=item.error)
    if item.resting is not None:
        return _report(name, item.resting.oid, OrderStatus.OPEN, received)
    if item.filled is None:
        raise ParseError("answer", "neither resting, filled nor error", item)
    filled = Quantity(number("totalSz", item.filled.totalSz))
    status = OrderStatus.FILLED if filled >= order.remaining else OrderStatus.PARTIALLY_FILLED
    return _report(name, item.filled.oid, status, received, filled=filled)


def cancelled(client_order_id: UUID | None, venue_order_id: str | None, item: Item, received: datetime) -> OrderReport:
    """Return the report of one cancel; a refusal says only that the order is not resting now."""
    succeeded = item == "success"
    if not succeeded and not (isinstance(item, Outcome) and item.error is not None):
        raise ParseError("answer", "not an outcome of cancelling", item)
    return OrderReport(
        source=ReportSource.SEND,
        client_order_id=client_order_id,
        venue_order_id=venue_order_id,
        status=OrderStatus.CANCELLED if succeeded else None,
        time_exchange=None,
        time_received=received,
        reason="" if isinstance(item, str) else item.error or "",
    )


def unsaid(client_order_id: UUID, received: datetime) -> OrderReport:
    """Return the report for a success without statuses, which the venue has been seen to send."""
    return _report(client_order_id, None, None, received, reason=SILENT_SUCCESS)


def is_over_allowance(answer: object) -> bool:
    """Return whether the venue says that the account has no requests left."""
    return isinstance(answer, dict) and str(answer.get("response")).startswith(_TOO_MANY_REQUESTS)


def _refusal(text: str) -> TradingError:
    if text.startswith(_TOO_MANY_REQUESTS):
        return RateLimited(text, RETRY_AFTER_SECONDS)
    return VenueRejected("refused", text, 200)


def _after_fill(order: PlaceOrder, filled: Quantity) -> OrderStatus:
    if filled >= order.quantity:
        return OrderStatus.FILLED
    # The venue's other words for the rest of an immediate order are "canceled"; so is ours.
    cannot_rest = order.order_type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC
    return OrderStatus.CANCELLED if cannot_rest else OrderStatus.PARTIALLY_FILLED


def _report(
    client_order_id: UUID,
    oid: int | None,
    status: OrderStatus | None,
    received: datetime,
    *,
    reason: str = "",
    filled: Quantity | None = None,
) -> OrderReport:
    return OrderReport(
        source=ReportSource.SEND,
        client_order_id=client_order_id,
        venue_order_id=None if oid is None else str(oid),
        status=status,
        time_exchange=None,
        time_received=received,
        filled_quantity=filled,
        reason=reason,
    )
