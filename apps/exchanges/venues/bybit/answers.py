"""What Bybit answers to create, amend and cancel, as reports.

An answer says that a request was taken, not what became of it; a batch says it order by order, in two lists that run
side by side. https://bybit-exchange.github.io/docs/v5/order/batch-place
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.exchanges.ports import Amendment, ParseError, ReportSource
from apps.exchanges.venues.bybit.messages import Ack, Code, Page
from apps.exchanges.venues.bybit.parse import Seen, answer, shaped
from moondev.domain.errors import VenueRejected
from moondev.domain.orders import FINAL, OrderReport, OrderStatus, OrderType
from moondev.domain.values import Quantity

TAKEN = "acknowledged; not seen among the orders yet"
_TOO_MANY = 10006
_NAME_TAKEN = 110072
# "Server error" and "timeout": the venue does not say what it has done by then.
OUTCOME_UNKNOWN = frozenset({10000, 10016})
_UNCHANGED = "remains unchanged"


@dataclass(frozen=True, slots=True)
class Taken:
    """How one order of a request came out: `code` 0 when it was taken. `venue_order_id` "" when none was said."""

    code: int
    words: str
    venue_order_id: str = ""

    @property
    def reason(self) -> str:
        """Return code and words of a refusal."""
        return f"{self.code}: {self.words}"


def single(text: str) -> list[Taken]:
    """Return the answer to a request about one order. Raises ParseError."""
    ack = shaped("answer", answer("answer", text).result, Ack)
    return [Taken(0, "", ack.orderId)]


def refused(error: VenueRejected) -> list[Taken]:
    """Return the refusal of a request about one order."""
    return [Taken(int(error.code), error.body)]


def batch(text: str, count: int) -> list[Taken]:
    """Return the answer to a request about `count` orders, in their order. Raises ParseError."""
    said = answer("answer", text)
    rows = shaped("answer", said.result, Page).rows or []
    codes = [shaped("answer", row, Code) for row in shaped("answer", said.retExtInfo, Page).rows or []]
    if not len(rows) == len(codes) == count:
        raise ParseError("answer", f"{len(rows)} rows and {len(codes)} codes for {count} orders", text)
    return [
        Taken(code.code, code.msg, shaped("answer", row, Ack).orderId if code.code == 0 else "")
        for row, code in zip(rows, codes, strict=True)
    ]


def placed(name: UUID, taken: Taken, seen: Seen | None, received: datetime) -> OrderReport:
    """Return the report of a new order: what the venue shows of it, where it was taken."""
    if taken.code == _NAME_TAKEN:
        # There is an order of this name. What became of that one is not known from here.
        return _report(name, taken, None, received, taken.reason)
    if taken.code == _TOO_MANY:
        # Beyond the limit of this second: of a batch only what comes first is looked at.
        return _report(name, taken, OrderStatus.EXPIRED, received, taken.reason)
    if taken.code in OUTCOME_UNKNOWN:
        return _report(name, taken, OrderStatus.UNKNOWN, received, taken.reason)
    if taken.code != 0:
        return _report(name, taken, OrderStatus.REJECTED, received, taken.reason)
    return _report(name, taken, None, received, TAKEN) if seen is None else seen.report


def amended(item: Amendment, taken: Taken, seen: Seen | None, received: datetime) -> OrderReport:
    """Return the report of a change: done when the venue shows the order as it was asked for."""
    name = item.approved.request.client_order_id
    if taken.code != 0 and _UNCHANGED not in taken.words:
        return _report(name, taken, None, received, taken.reason)
    if seen is None:
        return _report(name, taken, None, received, TAKEN)
    if not _as_wanted(item, seen) or seen.report.status in FINAL - {OrderStatus.FILLED}:
        return _report(name, taken, None, received, f"acknowledged; seen as {seen.quantity:f} @ {seen.price}")
    return seen.report


def cancelled(name: UUID | None, venue_order_id: str | None, taken: Taken, received: datetime) -> OrderReport:
    """Return the report of a cancel. A refusal does not say whether the order was filled, ended or never there."""
    status = OrderStatus.CANCELLED if taken.code == 0 else None
    return OrderReport(
        source=ReportSource.SEND,
        client_order_id=name,
        venue_order_id=taken.venue_order_id or venue_order_id,
        status=status,
        time_exchange=None,
        time_received=received,
        reason="" if status else taken.reason,
    )


def _as_wanted(item: Amendment, seen: Seen) -> bool:
    request = item.approved.request
    size = Quantity(request.filled_when_planned.value + request.remaining.value)
    # An order that goes to the market has no price to compare.
    at_market = item.order_type in {OrderType.STOP, OrderType.TAKE_PROFIT}
    return seen.quantity == size.value and (at_market or seen.price == request.price.value)


def _report(name: UUID, taken: Taken, status: OrderStatus | None, received: datetime, reason: str) -> OrderReport:
    return OrderReport(
        source=ReportSource.SEND,
        client_order_id=name,
        venue_order_id=taken.venue_order_id or None,
        status=status,
        time_exchange=None,
        time_received=received,
        reason=reason,
    )
