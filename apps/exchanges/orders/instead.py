"""Amends that a venue does not do: the order is cancelled, and the planner places what it still wants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from apps.exchanges.models import CommandStatus
from apps.exchanges.orders.claim import ClaimedAmend
from apps.exchanges.orders.commands import CommandOutcome, commands_settle
from apps.exchanges.orders.entries import CommandEntry
from apps.exchanges.orders.record import orders_record
from apps.exchanges.orders.wake import wake_accounts
from moondev.domain.orders import CancelOrder

NO_AMENDS = "the venue does not change orders; cancelled, to be placed anew"
VALID = timedelta(minutes=2)


def amends_as_cancels(account_id: int, amends: Sequence[ClaimedAmend], now: datetime) -> None:
    """End begun amends and write a cancel for each of their orders, in one transaction."""
    outcomes = [CommandOutcome(a.command_id, a.order_id, CommandStatus.DROPPED, NO_AMENDS) for a in amends]
    cancels = [
        CommandEntry(
            CancelOrder(a.request.client_order_id, a.request.instrument, NO_AMENDS),
            account_id,
            a.strategy,
            "amend",
            now + VALID,
        )
        for a in amends
    ]
    with transaction.atomic():
        commands_settle(account_id, outcomes, now)
        recorded = orders_record(entries=[], commands=cancels, now=now)
        wake_accounts(recorded.account_ids_with_work)
