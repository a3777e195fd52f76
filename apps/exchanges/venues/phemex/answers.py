"""What Phemex answers to a write, as reports. An answer with code 0 may still hold a refusal: `bizError`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.exchanges.ports import ReportSource
from apps.exchanges.venues.phemex.messages import Outcome
from apps.exchanges.venues.phemex.words import data, number, status
from apps.exchanges.venues.rows import reading
from moondev.domain.errors import VenueRejected
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Quantity

# The id is known already: what became of the order behind it is another question.
DUPLICATES = frozenset({"10001", "11033", "11085", "19999"})


def placed(client_order_id: UUID, text: str, received: datetime) -> OrderReport:
    """Return the report of a new order.

    The venue answers before its matching engine has looked: an order that was taken counts as open, and what became of
    it comes over the stream. Raises ParseError.
    """
    outcome = data("answer", text, Outcome)
    with reading("answer", text):
        if str(outcome.bizError) != "0":
            refused = OrderStatus.REJECTED if str(outcome.bizError) not in DUPLICATES else None
            return report(client_order_id, refused, received, reason=_words(outcome))
        filled = number("cumQtyRq", outcome.cumQtyRq)
        said = status(outcome.ordStatus, filled)
        return report(client_order_id, said, received, order_id=outcome.orderID, filled=Quantity(filled))


def refused(client_order_id: UUID, refusal: VenueRejected, received: datetime) -> OrderReport:
    """Return the report of a new order that the venue refused; of one whose id it knows, the question stays open."""
    said = None if refusal.code in DUPLICATES else OrderStatus.REJECTED
    return report(client_order_id, said, received, reason=str(refusal))


def amended(client_order_id: UUID, text: str, received: datetime) -> OrderReport:
    """Return the report of a change: in place, under the same id. A refusal leaves open what is left of the order."""
    outcome = data("answer", text, Outcome)
    with reading("answer", text):
        if str(outcome.bizError) != "0":
            return report(client_order_id, None, received, reason=_words(outcome))
        filled = number("cumQtyRq", outcome.cumQtyRq)
        said = status(outcome.ordStatus, filled)
        return report(client_order_id, said, received, order_id=outcome.orderID, filled=Quantity(filled))


def cancelled(client_order_id: UUID | None, order_id: str, text: str, received: datetime) -> OrderReport:
    """Return the report of a cancel that the venue took: the order ends, by this or by a fill that was faster.

    What was filled by then is not said, because the answer shows the order as it was before.
    """
    outcome = data("answer", text, Outcome)
    refused = str(outcome.bizError) != "0"
    return report(
        client_order_id,
        None if refused else OrderStatus.CANCELLED,
        received,
        reason=_words(outcome) if refused else "",
        order_id=outcome.orderID or order_id,
    )


def open_question(client_order_id: UUID | None, order_id: str, refusal: VenueRejected, now: datetime) -> OrderReport:
    """Return the report of a change or a cancel that was refused: only `order_status` can say what the order is."""
    return report(client_order_id, None, now, reason=str(refusal), order_id=order_id)


def report(
    client_order_id: UUID | None,
    said: OrderStatus | None,
    received: datetime,
    *,
    reason: str = "",
    order_id: str = "",
    filled: Quantity | None = None,
) -> OrderReport:
    """Return what was said about one order."""
    return OrderReport(
        source=ReportSource.SEND,
        client_order_id=client_order_id,
        # A report has to name its order; of one whose names could not be read there is nothing else to say.
        venue_order_id=order_id or (None if client_order_id else "?"),
        status=said,
        time_exchange=None,
        time_received=received,
        filled_quantity=filled,
        reason=reason,
    )


def _words(outcome: Outcome) -> str:
    return f"{outcome.bizError}: {outcome.message or outcome.ordStatus or 'refused'}"
