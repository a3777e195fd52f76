"""One account by asking: orders that changed, fills that came, since the last round."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from apps.exchanges.ports import (
    FillBatch,
    OrderBatch,
    ReportSource,
    RestingOrder,
    Unreadable,
    UserEvent,
)
from apps.exchanges.venues.ccxt_generic.client import CcxtClient
from moondev.domain.clock import Clock
from moondev.domain.fills import FillReport
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Quantity

# How far a question for fills reaches back over the last one: clocks differ, and lists lag.
OVERLAP = timedelta(seconds=10)
FILLS_REMEMBERED = 10_000


class UserRound:
    """One round of questions about an account. See `Round`."""

    def __init__(self, client: CcxtClient, clock: Clock) -> None:
        """Ask `client`. What happened before the first round is not told: whoever connects asks for it."""
        self._client, self._clock = client, clock
        self._started = clock.now()
        self._since = self._started
        self._open: dict[str, tuple[RestingOrder, Decimal]] = {}
        self._missing: set[str] = set()
        self._told: dict[str, None] = {}

    def ask(self) -> Iterator[UserEvent]:
        """Return what has changed. Raises what the questions raise."""
        asked = self._clock.now()
        resting = {order.venue_order_id: order for order in self._client.open_orders()}
        fills = [fill for fill in self._client.fills(self._since - OVERLAP) if self._is_news(fill)]
        gone = (set(self._open) - set(resting)) | self._missing | {fill.venue_order_id for fill in fills}
        ended = self._ended(gone - set(resting))
        reports = [*self._changed(resting), *ended.values()]
        # Nothing is remembered before every question is answered: a round that fails is asked again from the start.
        self._since = asked
        self._open = {name: (order, order.remaining.value) for name, order in resting.items()}
        self._missing = gone - set(resting) - set(ended)
        self._told |= dict.fromkeys(fill.venue_trade_id for fill in fills)
        self._told = dict(list(self._told.items())[-FILLS_REMEMBERED:])
        if reports:
            yield OrderBatch(tuple(reports))
        if fills:
            yield FillBatch(tuple(fills), snapshot=False)
        unreadable = self._client.take_unreadable()
        if unreadable:
            yield Unreadable(tuple(unreadable), asked)

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def _is_news(self, fill: FillReport) -> bool:
        return fill.venue_trade_id not in self._told and fill.time_exchange >= self._started - OVERLAP

    def _changed(self, resting: dict[str, RestingOrder]) -> Iterator[OrderReport]:
        """Yield a report of every order that is new or of which more has filled."""
        for name, order in resting.items():
            known = self._open.get(name)
            if known is not None and known[1] == order.remaining.value:
                continue
            filled = order.quantity.value - order.remaining.value
            yield self._report(order, OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN, filled)

    def _ended(self, names: set[str]) -> dict[str, OrderReport]:
        """Return the last words on orders that are not open any more, as far as the exchange has them yet."""
        if not names:
            return {}
        reports = self._client.last_words(names)
        return {name: report for name, report in reports.items() if report.status is not None}

    def _report(self, order: RestingOrder, status: OrderStatus, filled: Decimal) -> OrderReport:
        now: datetime = self._clock.now()
        return OrderReport(
            source=ReportSource.STREAM,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            status=status,
            time_exchange=None,
            time_received=now,
            filled_quantity=Quantity(filled),
        )
