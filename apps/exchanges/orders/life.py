"""An order's life as processes tell it: one line a step, with the tick it was born of, once the step is committed.

Whoever changes an order ends here, so a search for a tick finds every step of its orders in whatever process it was
taken. What the lines are about is asked for by the statement that writes the steps: it costs no question of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Protocol

from django.db import transaction

from apps.exchanges.bulk import Row, values_fetch, values_run
from moondev.domain.clock import process_clock
from moondev.domain.orders import OrderStatus
from moondev.logs import said
from moondev.traces.ids import tracing
from moondev.traces.spans import Stage, stage_ended

logger = logging.getLogger(__name__)

_INSERT = (
    "INSERT INTO exchanges_orderevent (order_id, at, source, status_from, status_to, time_exchange, detail) VALUES %s"
)
_INSERT_AND_NAME = (
    f"WITH written AS ({_INSERT} RETURNING order_id)"  # noqa: S608  columns of ours
    " SELECT o.id, o.tick_id, o.strategy, o.account_id, a.venue_id, o.client_order_id, o.venue_order_id, o.side,"
    " o.quantity, i.symbol, o.price, o.filled_quantity, o.sent_at FROM exchanges_order o"
    " JOIN exchanges_account a ON a.id = o.account_id JOIN exchanges_instrument i ON i.id = o.instrument_id"
    " WHERE o.id IN (SELECT order_id FROM written)"
)
# Asked and not heard yet; and what says nothing of the venue's answer.
_IN_FLIGHT = frozenset({OrderStatus.SENDING, OrderStatus.UNKNOWN})
_UNANSWERED = _IN_FLIGHT | {OrderStatus.APPROVED, OrderStatus.HELD}
# What somebody may have to do something about.
_TROUBLE = frozenset({OrderStatus.UNKNOWN, OrderStatus.REJECTED})


class Told(Protocol):
    """What a line says of a step; see `apps.exchanges.orders.events.Step`."""

    @property
    def order_id(self) -> int:
        """Return which order."""

    @property
    def source(self) -> str:
        """Return who says so."""

    @property
    def status_from(self) -> str:
        """Return what it was; empty at birth."""

    @property
    def status_to(self) -> str:
        """Return what it is."""

    @property
    def detail(self) -> str:
        """Return what else there is to say."""

    @property
    def time_exchange(self) -> datetime | None:
        """Return when it was so at the venue, where it told."""

    @property
    def filled(self) -> Decimal:
        """Return how much filled with it."""


@dataclass(frozen=True, slots=True)
class Named:
    """An order by all its names, as it stands when a step is written."""

    order_id: int
    tick: str
    strategy: str
    account_id: int
    venue: str
    client_order_id: str
    venue_order_id: str
    side: str
    quantity: Decimal
    symbol: str
    price: Decimal
    filled: Decimal
    sent_at: datetime | None


def steps_insert(rows: Sequence[Row], steps: Sequence[Told]) -> None:
    """Write rows of steps, and have each told once the open transaction has committed."""
    if not (logger.isEnabledFor(logging.INFO) or tracing()):
        values_run(_INSERT, rows)
        return
    named = {row[0]: _named(row) for row in values_fetch(_INSERT_AND_NAME, rows)}
    if named:
        transaction.on_commit(partial(_tell, steps, named))


def _named(row: Row) -> Named:
    values = [*row[:5], str(row[5]), *row[6:]]
    return Named(*values)


def _tell(steps: Sequence[Told], named: Mapping[int, Named]) -> None:
    for step in steps:
        order = named.get(step.order_id)
        if order is not None:
            _line(step, order)
            if tracing():
                _stages(step, order)


def _stages(step: Told, order: Named) -> None:
    """Tell, below the request that sent the order, its acknowledgement and its fills."""
    clock = process_clock()
    now, sent = clock.now(), ("send", order.client_order_id)
    about = {"strategy": order.strategy, "venue": order.venue, "status": step.status_to, "source": step.source}
    if step.status_from in _IN_FLIGHT and step.status_to not in _UNANSWERED:
        took = (now - order.sent_at).total_seconds() if order.sent_at else 0.0
        name = ("acknowledge", order.client_order_id)
        stage_ended(Stage(order.tick, name, sent, clock.wall_seconds(took), about=about))
    if step.filled > 0:
        # From the venue's stamp to our books. Clocks differ: one that is ahead of ours counts as none at all.
        took = (now - step.time_exchange).total_seconds() if step.time_exchange else 0.0
        fill = ("fill", order.client_order_id, f"{order.filled.normalize():f}")
        filled = {**about, "quantity": f"{step.filled.normalize():f}"}
        stage_ended(Stage(order.tick, fill, sent, clock.wall_seconds(took), about=filled))


def _line(step: Told, order: Named) -> None:
    level = logging.WARNING if step.status_to in _TROUBLE else logging.INFO
    logger.log(
        level,
        "order %s -> %s (%s): %s %s %s @ %s, filled %s%s",
        step.status_from or "-",
        step.status_to,
        step.source,
        order.side,
        f"{order.quantity.normalize():f}",
        order.symbol,
        f"{order.price.normalize():f}",
        f"{order.filled.normalize():f}",
        f": {step.detail}" if step.detail else "",
        extra=said(
            tick=order.tick,
            strategy=order.strategy,
            account=str(order.account_id),
            venue=order.venue,
            order=str(order.order_id),
            client_order=order.client_order_id,
            venue_order=order.venue_order_id,
        ),
    )
