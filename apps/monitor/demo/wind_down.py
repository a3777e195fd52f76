"""End trading in order: no new ticks, no resting orders, nothing in flight, books reconciled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import transaction

from apps.exchanges.models import Account, Order
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.orders.services import CommandEntry, orders_record, wake_accounts
from apps.monitor.demo.report import Comparison, compare
from apps.strategies.models import Tick, TickStatus
from moondev.celery import wake
from moondev.domain.clock import Clock
from moondev.domain.errors import RateLimited
from moondev.domain.orders import NON_FINAL, CancelOrder

TICKS_TIMEOUT_S = 20.0
# After an outage a venue's limits may be used up for a minute, and what was missed is asked for in the next.
ORDERS_TIMEOUT_S = 150.0
RECONCILE_EVERY_S = 10.0
_POLL_S = 0.2
# In the run's time: long enough for a fast replay, where a real second is minutes.
_COMMAND_VALID = timedelta(hours=6)
# Funding or a last fill may fall between reconciling and asking: then the pair is read again.
_COMPARISONS_AT_MOST = 20
_COMPARING_PAUSE_S = 1.0
_COMPARING_TIMEOUT_S = 60.0


def wait_for_ticks(look: Callable[[], None]) -> bool:
    """Wait until no tick is outstanding; return False when some still are after the time-out.

    ``look`` is called between tries: it keeps screen and supervisor going.
    """
    outstanding = Tick.objects.filter(status__in=[TickStatus.DUE, TickStatus.RUNNING])
    return _wait(lambda: not outstanding.exists(), TICKS_TIMEOUT_S, look)


def cancel_and_wait(clock: Clock, look: Callable[[], None]) -> bool:
    """Cancel every live order as a strategy would; return whether all were final before the time-out.

    The wish is repeated: an order may have been on its way when it was first made, and a wish made twice is one. Beat
    is stopped by now, so what it would have asked for every few seconds, what became of orders in doubt, is asked here.
    """
    asked_at = float("-inf")

    def all_final() -> bool:
        nonlocal asked_at
        live = list(Order.objects.filter(status__in=sorted(NON_FINAL)).select_related("instrument"))
        if live:
            _cancel(live, clock)
        if live and time.monotonic() - asked_at >= RECONCILE_EVERY_S:
            asked_at = time.monotonic()
            for venue in sorted({order.instrument.venue_id for order in live}):
                wake("exchanges.orders_reconcile", venue=venue)
        return not live

    return _wait(all_final, ORDERS_TIMEOUT_S, look)


def reconcile_and_compare(accounts: Sequence[Account]) -> tuple[Comparison, ...]:
    """Reconcile each account with its venue and compare the equities; again when something came between."""
    return tuple(_compare(account) for account in accounts)


def _compare(account: Account) -> Comparison:
    """Compare until the books agree, a few times at most; a venue whose budget is spent is waited for."""
    comparison: Comparison | None = None
    deadline = time.monotonic() + _COMPARING_TIMEOUT_S
    for _ in range(_COMPARISONS_AT_MOST):
        try:
            complete = reconcile_account(account.pk).complete
            comparison = compare(account)
        except RateLimited as error:
            complete = False
            time.sleep(min(error.retry_after_seconds, max(deadline - time.monotonic(), 0.0)))
        if comparison is not None and complete and comparison.difference == 0:
            break
        if time.monotonic() >= deadline:
            break
        time.sleep(_COMPARING_PAUSE_S)
    return comparison if comparison is not None else compare(account)


def _cancel(orders: Sequence[Order], clock: Clock) -> None:
    """Record the wish and wake the senders: the path of every cancel."""
    now = clock.now()
    commands = [
        CommandEntry(
            request=CancelOrder(order.client_order_id, order.instrument.key, reason="the demo is ending"),
            account_id=order.account_id,
            strategy=order.strategy,
            tick_id="demo-end",
            valid_until=now + _COMMAND_VALID,
        )
        for order in orders
    ]
    with transaction.atomic():
        recorded = orders_record(entries=[], commands=commands, now=now)
        wake_accounts(recorded.account_ids_with_work)


def _wait(done: Callable[[], bool], timeout_s: float, look: Callable[[], None]) -> bool:
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            return False
        look()
        time.sleep(_POLL_S)
    return True
