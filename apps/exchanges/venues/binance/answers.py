"""What Binance answers to requests about orders, as reports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.exchanges.ports import ParseError, ReportSource
from apps.exchanges.venues.binance.judge import UNKNOWN_CODES, refusal_code
from apps.exchanges.venues.binance.messages import AlgoRow, ErrorBody, OrderRow
from apps.exchanges.venues.binance.parse import ZERO_FILLED, algo_report, order_report
from apps.exchanges.venues.rows import reading
from moondev.domain.errors import Connectivity, NotSent, TradingError, VenueRejected
from moondev.domain.orders import OrderReport, OrderStatus

# The venue did not look at the order but at the key, the signature or the clock: the whole request is refused.
_OF_THE_REQUEST = frozenset({-1002, -1021, -1022, -1099, -1131, -2014, -2015})
DUPLICATE = -4116
UNKNOWN_ORDER = frozenset({-2011, -2013})


def of_an_order(error: VenueRejected) -> ErrorBody:
    """Return a refusal as one order's. Raises it when it is the whole request's."""
    code = refusal_code(error)
    if code is None or code in _OF_THE_REQUEST:
        raise error
    return ErrorBody(code, error.body)


def placed(name: UUID, answer: OrderRow | ErrorBody, received: datetime) -> OrderReport:
    """Return the report of one placed order. Raises ParseError when the answer is about another."""
    if isinstance(answer, OrderRow):
        _require_name(name, answer.clientOrderId, answer)
        with reading("order", answer):
            return order_report(answer, ReportSource.SEND, received)
    return _said(name, _refused_as(answer.code), answer, received)


def placed_conditional(name: UUID, answer: AlgoRow | ErrorBody, received: datetime) -> OrderReport:
    """Return the report of one conditional order."""
    if isinstance(answer, ErrorBody):
        return placed(name, answer, received)
    _require_name(name, answer.clientAlgoId, answer)
    with reading("algo order", answer):
        return algo_report(answer, ReportSource.SEND, received)


def amended(name: UUID, answer: OrderRow | ErrorBody, received: datetime) -> OrderReport:
    """Return the report of one amendment; a refusal leaves open what is left of the order."""
    if isinstance(answer, OrderRow):
        return placed(name, answer, received)
    return _said(name, None, answer, received)


def cancelled(name: UUID | None, order_id: str | None, answer: OrderRow | ErrorBody, received: datetime) -> OrderReport:
    """Return the report of one cancel; a refusal says only that the order is not resting now."""
    if isinstance(answer, OrderRow):
        with reading("order", answer):
            return order_report(answer, ReportSource.SEND, received)
    return _said(name, None, answer, received, order_id)


def cancelled_conditional(name: UUID | None, order_id: str | None, received: datetime) -> OrderReport:
    """Return the report of a conditional order that was cancelled before its trigger."""
    return OrderReport(
        source=ReportSource.SEND,
        client_order_id=name,
        venue_order_id=order_id,
        status=OrderStatus.CANCELLED,
        time_exchange=None,
        time_received=received,
        filled_quantity=ZERO_FILLED,
    )


def unplaced(name: UUID, error: TradingError, received: datetime) -> OrderReport:
    """Return the report of an order whose own request, one of several, ended in an error."""
    unknown = isinstance(error, Connectivity) and not isinstance(error, NotSent)
    return _report(name, None, OrderStatus.UNKNOWN if unknown else OrderStatus.REJECTED, str(error), received)


def unsettled(name: UUID | None, order_id: str | None, reason: str, received: datetime) -> OrderReport:
    """Return the report of an order of which it is not known what a request about it did: ask `order_status`."""
    return _report(name, order_id, None, reason, received)


def _refused_as(code: int) -> OrderStatus | None:
    """Return what an error of one order of a request leaves it in."""
    if code == DUPLICATE:
        # That the name is taken says that the order is there already, not what became of it.
        return None
    # The venue says "execution status unknown" of single orders of a batch too.
    return OrderStatus.UNKNOWN if code in UNKNOWN_CODES else OrderStatus.REJECTED


def _require_name(name: UUID, told: str, answer: object) -> None:
    if told != str(name):
        raise ParseError("answer", f"about {told!r} instead of {name}", answer)


def _said(
    name: UUID | None,
    status: OrderStatus | None,
    answer: ErrorBody,
    received: datetime,
    order_id: str | None = None,
) -> OrderReport:
    return _report(name, order_id, status, f"{answer.code}: {answer.msg}", received)


def _report(
    name: UUID | None, order_id: str | None, status: OrderStatus | None, reason: str, received: datetime
) -> OrderReport:
    return OrderReport(
        source=ReportSource.SEND,
        client_order_id=name,
        venue_order_id=order_id,
        status=status,
        time_exchange=None,
        time_received=received,
        reason=reason,
    )
