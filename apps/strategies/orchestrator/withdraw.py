"""Takes the orders of strategies that no longer run out of the market; their stops stay."""

from __future__ import annotations

from collections import defaultdict

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.exchanges.models import Order
from apps.exchanges.orders.services import CommandEntry, orders_record, wake_accounts
from apps.strategies.models import StrategyRow
from apps.strategies.orchestrator.deadlines import REDUCING_VALID, real_time_from
from apps.strategies.orchestrator.planner.situation import CANCELLABLE
from moondev.domain.clock import Clock
from moondev.domain.orders import CancelOrder, Purpose

REASON = "its strategy does not run"


def withdraw_stopped(clock: Clock) -> int:
    """Cancel every order of a disabled or paused strategy that is no stop or take-profit; return how many.

    Safe to run twice and at once: an order has one cancel in flight.
    """
    stopped = StrategyRow.objects.filter(~Q(enabled=True, paused_reason="")).values("slug")
    orders = Order.objects.filter(strategy__in=stopped).exclude(purpose=Purpose.PROTECTIVE)
    return _withdraw(orders, REASON, clock)


def withdraw_openings(strategy: str, reason: str, clock: Clock) -> int:
    """Cancel every order of a strategy that opens; exits and stops stay. Return how many."""
    return _withdraw(Order.objects.filter(strategy=strategy, purpose=Purpose.OPENING), reason, clock)


def _withdraw(among: QuerySet[Order], reason: str, clock: Clock) -> int:
    orders = among.filter(status__in=sorted(CANCELLABLE))
    orders = orders.exclude(commands__status__in=["approved", "sending", "unknown"])
    fields = ("client_order_id", "instrument__venue_id", "instrument__symbol", "account_id", "strategy")
    by_account: defaultdict[int, list[CommandEntry]] = defaultdict(list)
    now = clock.now()
    until = real_time_from(clock, now, REDUCING_VALID)
    for order_id, venue, symbol, account_id, strategy in orders.order_by("pk").values_list(*fields):
        cancel = CancelOrder(order_id, f"{venue}:{symbol}", reason)
        by_account[account_id].append(CommandEntry(cancel, account_id, strategy, "withdraw", until))
    for commands in by_account.values():
        with transaction.atomic():
            recorded = orders_record(entries=[], commands=commands, now=now)
            wake_accounts(recorded.account_ids_with_work)
    return sum(map(len, by_account.values()))
