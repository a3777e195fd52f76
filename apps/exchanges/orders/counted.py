"""What happens to orders, for the metrics: counted once it is committed, in real seconds, whatever the pace of the run.

Each is a handful of additions in memory. Nothing here can fail an order: what it raised would be logged by Django.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from apps.exchanges.accounts.facts import AccountFacts
from apps.exchanges.orders.desk import DeskOrder
from apps.exchanges.orders.entries import OrderEntry
from apps.exchanges.orders.fill_rows import BookedFill
from moondev.counting.committed import count_on_commit
from moondev.counting.table import FILLS, ORDER_STAGES, ORDERS, REFUSALS, TRADED
from moondev.domain.clock import process_clock
from moondev.domain.decisions import RiskRefused
from moondev.domain.orders import OrderStatus


def real_seconds(passed: timedelta) -> float:
    """Return how long something took, however fast the run's own time passes."""
    return process_clock().wall_seconds(passed.total_seconds())


def recorded_count(entries: Sequence[OrderEntry], written: Collection[UUID]) -> None:
    """Count new orders and refusals once the open transaction has committed."""
    fresh = [entry for entry in entries if entry.outcome.request.client_order_id in written]
    if fresh:
        count_on_commit(_count_recorded, fresh)


def applied_count(
    account: AccountFacts, orders: Iterable[DeskOrder], fills: Sequence[BookedFill], now: datetime
) -> None:
    """Count what a batch of reports has changed once the open transaction has committed."""
    changed = [order for order in orders if order.changed]
    if changed or fills:
        count_on_commit(_count_applied, account.venue, changed, fills, now)


def ended_count(ended: Iterable[tuple[str, str]], status: OrderStatus) -> None:
    """Count orders that ended unsent, by strategy and venue, once the open transaction has committed."""
    count_on_commit(_count_ended, list(ended), status)


def _count_recorded(entries: Iterable[OrderEntry]) -> None:
    for entry in entries:
        venue = entry.outcome.request.instrument.partition(":")[0]
        refused = isinstance(entry.outcome, RiskRefused)
        ORDERS.add(entry.strategy, venue, (OrderStatus.REFUSED if refused else OrderStatus.APPROVED).value)
        if isinstance(entry.outcome, RiskRefused):
            REFUSALS.add(entry.strategy, entry.outcome.code.value)


def _count_ended(ended: Iterable[tuple[str, str]], status: OrderStatus) -> None:
    for strategy, venue in ended:
        ORDERS.add(strategy, venue, status.value)


def _count_applied(venue: str, orders: Iterable[DeskOrder], fills: Iterable[BookedFill], now: datetime) -> None:
    for order in orders:
        if order.now.status is not order.was.status:
            ORDERS.add(order.strategy, venue, order.now.status.value)
        if order.sent_at is not None:
            _count_stages(venue, order, order.sent_at, now)
    for booked in fills:
        FILLS.add(booked.strategy, venue)
        TRADED.add(booked.strategy, venue, amount=float(booked.fill.price.value * booked.fill.quantity.value))


def _count_stages(venue: str, order: DeskOrder, sent_at: datetime, now: datetime) -> None:
    whose = (order.strategy, venue)
    if order.answered_first:
        if order.goes_at_once:
            ORDER_STAGES.observe(real_seconds(sent_at - order.created_at), "submit", *whose)
        ORDER_STAGES.observe(real_seconds(now - sent_at), "acknowledge", *whose)
    if order.now.filled > 0 and not order.was.filled:
        ORDER_STAGES.observe(real_seconds(now - sent_at), "fill", *whose)
