"""What an answer to a question about an order settles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.locks import lock_exposures, lock_reports, move_exposures
from apps.exchanges.models import CommandKind, CommandStatus
from apps.exchanges.orders.commands import Amended, CommandOutcome, amends_settle, commands_settle
from apps.exchanges.orders.desk import Desk
from apps.exchanges.orders.doubts import DoubtfulCommand
from apps.exchanges.orders.progress import caught_up, settled
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import LiveOrder, ReportSource, RestingOrder
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import ZERO, Quantity

_LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})


def may_yet_arrive(command: DoubtfulCommand, report: OrderReport | None, window: timedelta, now: datetime) -> bool:
    """Return whether a command may still be on its way: the venue's word does not settle it.

    That is an answer without a status, and one that shows no trace of the command within `window`, which is how long
    after sending the venue may still carry it out.
    """
    if report is not None and report.status is None:
        return True
    if command.sent_at is None or now >= command.sent_at + window:
        return False
    return report is None or (report.status in _LIVE and report.venue_order_id == command.venue_order_id)


def command_resolve(account_id: int, command: DoubtfulCommand, report: OrderReport | None, now: datetime) -> None:
    """Settle a cancel or amend whose answer was not heard by the venue's present word on its order.

    An amend was carried out when the order has another id now. None (never heard of it) leaves nothing to change.
    """
    if report is None:
        outcome = CommandOutcome(command.command_id, command.order_id, CommandStatus.FAILED, "the order is not there")
        commands_settle(account_id, [outcome], now)
        return
    renamed = bool(report.venue_order_id) and report.venue_order_id != command.venue_order_id
    if command.kind is CommandKind.AMEND and renamed:
        remaining, price, planned_on = command.row
        done = Amended(command.command_id, command.order_id, remaining, price, planned_on, report)
        amends_settle(account_id, [done], now)
        reports_apply(account_id=account_id, reports=[report], now=now)
        return
    came_to_nothing = command.kind is CommandKind.AMEND or report.status in _LIVE
    status = CommandStatus.FAILED if came_to_nothing else CommandStatus.DONE
    reports_apply(account_id=account_id, reports=[report], now=now)
    commands_settle(account_id, [CommandOutcome(command.command_id, command.order_id, status)], now)


def catch_up(account_id: int, client_order_ids: Sequence[UUID], now: datetime) -> int:
    """End orders whose end the venue has named and for which it knows no more fills than we have; return how many.

    A venue may call an order filled that it had shrunk first, as reduce-only orders are.
    """
    if not client_order_ids:
        return 0
    with transaction.atomic():
        lock_reports(account_id)
        desk = Desk.opened(account_facts(account_id), [(client_id, None) for client_id in client_order_ids])
        for order in desk.orders.values():
            if order.now.ending is not None and order.now.missing:
                order.now = settled(caught_up(order.now))
                order.note(ReportSource.RECONCILE, "the venue knows no more fills than we have")
        changes = desk.exposure_changes()
        if changes:
            lock_exposures(changes)
        desk.write(now)
        move_exposures(changes)
        return sum(order.now.final for order in desk.orders.values())


def resting_reports(living: Iterable[LiveOrder], now: datetime) -> dict[UUID, OrderReport]:
    """Return what the venue's list of live orders says of each that carries a client order id and can be read."""
    return {
        order.client_order_id: OrderReport(
            source=ReportSource.RECONCILE,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            status=OrderStatus.OPEN,
            time_exchange=None,
            time_received=now,
            filled_quantity=Quantity(max(order.quantity.value - order.remaining.value, ZERO)),
        )
        for order in living
        if isinstance(order, RestingOrder) and order.client_order_id is not None
    }
