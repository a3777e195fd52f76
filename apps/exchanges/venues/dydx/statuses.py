"""What became of an order: the indexer's word, and what may be said where it has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from apps.exchanges.ports import ReportSource
from apps.exchanges.throttling import Lane
from apps.exchanges.venues.dydx import parse
from apps.exchanges.venues.dydx.config import BLOCK_SECONDS
from apps.exchanges.venues.dydx.judging import Unknown
from apps.exchanges.venues.dydx.messages import OrderMessage
from apps.exchanges.venues.dydx.names import Sent
from apps.exchanges.venues.dydx.rest import Rest
from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Quantity

LAPSED = "its last block is over and brought no fill"
CANCEL_ON_ITS_WAY = "a cancel of it is on its way into a block"
_LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
# So many blocks behind the chain the indexer's silence still counts: those who ask leave it longer than that.
_BEHIND = 2
_CANCEL_TAKES = timedelta(seconds=3 * BLOCK_SECONDS)


class Statuses:
    """Asks the indexer about single orders, in the lane of questions that settle orders."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        """Prepare without touching the network."""
        self._rest, self._clock = rest, clock
        self._cancelled = RecentCancels(clock)

    def cancel_sent(self, venue_order_id: str) -> None:
        """Note that the node has taken a cancel: for a few blocks a live order may be about to end."""
        self._cancelled.note(venue_order_id)

    def of(self, sent: Sent, client_id: UUID) -> OrderReport | None:
        """Return what became of an order; None when the indexer does not know it and its last block is not over."""
        message = self._order(sent.name.venue_order_id)
        return self._lapsed(sent, client_id) if message is None else self._told(message, client_id)

    def require_current(self) -> None:
        """Raise Connectivity while the indexer lags behind the chain: what it has not heard of may have happened."""
        height = self._rest.height()
        behind = height - self._rest.indexed_height(Lane.RESERVED)
        if behind > _BEHIND:
            raise Connectivity(f"the indexer is {behind} blocks behind the chain: what it does not know may be there")

    def _order(self, venue_order_id: str) -> OrderMessage | None:
        try:
            answer = self._rest.indexer("indexerGetOrdersOrderId", {"orderId": venue_order_id}, Lane.RESERVED)
        except Unknown:
            return None
        return parse.decoded("order", answer, OrderMessage)

    def _told(self, message: OrderMessage, client_id: UUID) -> OrderReport:
        height = 0
        if message.status == parse.BEST_EFFORT_CANCELED:
            # First the height, then the order again: a fill of a block up to it is in the second answer.
            height = self._rest.indexed_height(Lane.RESERVED)
            message = self._order(message.id) or message
        report = parse.order_report(message, height, lambda _: client_id, ReportSource.RECONCILE, self._clock.now())
        if report.status in _LIVE and self._cancelled.recently(message.id):
            return replace(report, status=None, reason=CANCEL_ON_ITS_WAY)
        return report

    def _lapsed(self, sent: Sent, client_id: UUID) -> OrderReport | None:
        """Return the end of a short-term order whose last block is over: one without a fill is nowhere on record."""
        if not sent.last_block or self._rest.indexed_height(Lane.RESERVED) < sent.last_block:
            return None
        message = self._order(sent.name.venue_order_id)
        if message is not None:
            return self._told(message, client_id)
        return OrderReport(
            source=ReportSource.RECONCILE,
            client_order_id=client_id,
            venue_order_id=sent.name.venue_order_id,
            status=OrderStatus.EXPIRED,
            time_exchange=None,
            time_received=self._clock.now(),
            filled_quantity=Quantity(Decimal(0)),
            reason=LAPSED,
        )


class RecentCancels:
    """Cancels that the node has taken and no block may have carried yet."""

    def __init__(self, clock: Clock) -> None:
        """Start with none."""
        self._clock = clock
        self._until: dict[str, datetime] = {}

    def note(self, venue_order_id: str) -> None:
        """Remember a cancel for a few blocks."""
        now = self._clock.now()
        self._until = {name: until for name, until in self._until.items() if until > now}
        self._until[venue_order_id] = now + _CANCEL_TAKES

    def recently(self, venue_order_id: str) -> bool:
        """Return whether an order that still looks alive may be about to end."""
        until = self._until.get(venue_order_id)
        return until is not None and self._clock.now() < until
