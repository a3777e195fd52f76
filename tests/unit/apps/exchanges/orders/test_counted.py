"""What happens to orders is counted once, when it is committed, and counting it can stop nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from apps.exchanges.models import Order
from apps.exchanges.orders import counted
from apps.exchanges.orders.begin import orders_begin
from apps.exchanges.orders.claim import overdue_end
from apps.exchanges.orders.services import OrderEntry, orders_claim, reports_apply
from moondev.counting.table import FILLS, ORDER_STAGES, ORDERS, REFUSALS, TRADED
from moondev.domain.decisions import RefusalCode, RiskRefused
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Side
from tests.support.order_world import VENUE, World, make_world, report

pytestmark = pytest.mark.django_db
S = OrderStatus


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def told(monkeypatch):
    """What is counted, by measure and labels; seconds of stages beside it."""
    events, seconds = Counter(), []
    for measure in (ORDERS, REFUSALS, FILLS, TRADED):

        def add(self, *labels, amount=1.0, name=measure.name):
            events[(self.name, *labels)] += amount

        monkeypatch.setattr(type(measure), "add", add)
    monkeypatch.setattr(
        type(ORDER_STAGES), "observe", lambda self, took, stage, *labels: seconds.append((stage, *labels, took))
    )
    return events, seconds


def refused(entry: OrderEntry) -> OrderEntry:
    refusal = RiskRefused(entry.outcome.request, RefusalCode.DATA_TOO_OLD, Decimal(1), Decimal(2))
    return OrderEntry(
        refusal, entry.account_id, entry.instrument_id, entry.strategy, "tick", Decimal(0), entry.valid_until
    )


def step(world: World, seconds: float, work, run):
    """Let time pass, then work and run what waits for the commit."""
    world.clock.advance(timedelta(seconds=seconds))
    with run(execute=True):
        return work()


def begin(world: World) -> Order:
    claim = orders_claim(account_id=world.account.pk, worker="w", lease_seconds=60, now=world.clock.now())
    ids = [order.order_id for order in claim.orders]
    orders_begin(claim, ids, until=claim.until, venue_expires_at=claim.until, now=world.clock.now())
    return Order.objects.get(pk=ids[0])


def test_the_life_of_an_order_is_counted_step_by_step(world, told, django_capture_on_commit_callbacks) -> None:
    run = django_capture_on_commit_callbacks

    def apply(*reports):
        return lambda: reports_apply(account_id=world.account.pk, reports=reports, now=world.clock.now())

    def trade():
        return world.venue.trade("BTC", Side.BUY, Decimal(1), Decimal(100))

    step(world, 0, lambda: world.record(world.entry("2"), refused(world.entry())), run)
    order = step(world, 0.5, lambda: begin(world), run)
    step(world, 0.25, apply(report(order, S.OPEN, venue_id="v1")), run)
    step(world, 2, apply(report(order, None, venue_id="v1", fills=[trade()])), run)
    # Heard once more, and filled to the end: neither is a first answer or a first fill.
    step(world, 1, apply(report(order, S.OPEN, venue_id="v1")), run)
    step(world, 1, apply(report(order, None, venue_id="v1", fills=[trade()])), run)
    events, seconds = told
    whose = ("turtle", VENUE)
    assert seconds == [
        ("submit", *whose, 0.5), ("acknowledge", *whose, 0.25), ("fill", *whose, 2.25),
    ]  # fmt: skip
    assert events == {
        (ORDERS.name, *whose, "approved"): 1, (ORDERS.name, *whose, "refused"): 1,
        (REFUSALS.name, "turtle", "DATA_TOO_OLD"): 1, (ORDERS.name, *whose, "open"): 1,
        (ORDERS.name, *whose, "partially_filled"): 1, (ORDERS.name, *whose, "filled"): 1,
        (FILLS.name, *whose): 2, (TRADED.name, *whose): 200,
    }  # fmt: skip


def test_what_ends_unsent_is_counted_and_what_is_rolled_back_is_not(
    world, told, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            world.record(world.entry())
            transaction.set_rollback(True)
        world.record(world.entry(valid_seconds=1))
        world.clock.advance(timedelta(seconds=2))
        overdue_end(world.account.pk, world.clock.now())
    events, seconds = told
    assert events == {(ORDERS.name, "turtle", VENUE, "approved"): 1, (ORDERS.name, "turtle", VENUE, "expired"): 1}
    assert seconds == []


@pytest.mark.django_db(transaction=True)
def test_a_count_that_fails_stops_nothing(world, monkeypatch, caplog) -> None:
    def broken(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(counted, "_count_recorded", broken)
    order = world.place()
    assert (order.status, Order.objects.count()) == ("approved", 1)
    assert "no space left on device" in caplog.text
