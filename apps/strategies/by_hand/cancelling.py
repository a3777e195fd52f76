"""Take an order out of the market by hand, whoever's it is. As every cancel it needs no review."""

from __future__ import annotations

from django.db import transaction

from apps.exchanges.models import Order
from apps.exchanges.orders.services import CommandEntry, orders_record, wake_accounts
from apps.strategies.by_hand.placing import BY_HAND, SOURCE
from apps.strategies.models import StrategyEvent
from apps.strategies.orchestrator.deadlines import REDUCING_VALID, real_time_from
from moondev.domain.clock import Clock, process_clock
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import FINAL, CancelOrder, OrderStatus


def order_cancel(order_id: int, *, reason: str, actor: str, clock: Clock | None = None) -> Order:
    """Ask for the cancel of an order and return its row; asked twice is asked once.

    Raises InvalidValue for no reason and for an order that has ended, Order.DoesNotExist for none.
    """
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")
    clock = clock or process_clock()
    now = clock.now()
    with transaction.atomic():
        order = Order.objects.select_related("instrument").get(pk=order_id)
        if OrderStatus(order.status) in FINAL:
            raise InvalidValue("order", f"{order_id}, {order.status}", "an order that has not ended")
        cancel = CancelOrder(order.client_order_id, order.instrument.key, f"by {actor}: {reason}"[:300])
        until = real_time_from(clock, now, REDUCING_VALID)
        command = CommandEntry(cancel, order.account_id, order.strategy, SOURCE, until)
        recorded = orders_record(entries=[], commands=[command], now=now, source=SOURCE)
        StrategyEvent.objects.create(
            strategy=order.strategy,
            at=now,
            kind=BY_HAND,
            message=f"by {actor}: cancel order {order_id}: {reason}",
        )
        wake_accounts(recorded.account_ids_with_work)
    order.refresh_from_db()
    return order
