"""What an error of a send means for every order that was in it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from apps.exchanges.ports import ReportSource
from moondev.domain.errors import Configuration, Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.orders import OrderReport, OrderStatus

logger = logging.getLogger(__name__)


def outcome_of(error: Exception) -> tuple[OrderStatus, str]:
    """Return the state that an error of placing leaves an order in, and the words for it.

    Only what provably never happened is an end: the connection was refused, the venue said no or did not look, the
    request was refused before it left. Everything else, our own mistakes included, is UNKNOWN; the venue will tell.
    """
    match error:
        case NotSent():
            return OrderStatus.REJECTED, f"not sent: {error}"
        case Connectivity():
            return OrderStatus.UNKNOWN, f"no answer: {error}"
        case RateLimited():
            return OrderStatus.EXPIRED, f"rate limited: {error}"
        case VenueRejected():
            return OrderStatus.REJECTED, str(error)
        case InvalidValue() | Configuration():
            return OrderStatus.REJECTED, f"refused before sending: {error}"
    return OrderStatus.UNKNOWN, f"{type(error).__name__}: {error}"


def said(
    client_order_ids: Iterable[UUID], status: OrderStatus, reason: str, now: datetime, source: str = ReportSource.SEND
) -> list[OrderReport]:
    """Return one report per order that says `status` for `reason`, from us rather than from the venue."""
    return [
        OrderReport(
            source=source,
            client_order_id=client_id,
            venue_order_id=None,
            status=status,
            time_exchange=None,
            time_received=now,
            reason=reason,
        )
        for client_id in client_order_ids
    ]
