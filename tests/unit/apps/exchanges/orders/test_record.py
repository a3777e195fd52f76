from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.exchanges.locks import lock_exposures
from apps.exchanges.models import ExposureCounter, Order, OrderCommand, OrderEvent
from apps.exchanges.orders.ending import ended_release
from apps.exchanges.orders.new_rows import GIVEN_COLUMNS, UNTOUCHED_COLUMNS
from apps.exchanges.orders.services import CommandEntry, OrderEntry, orders_claim, orders_record
from moondev.domain.decisions import RefusalCode, RiskRefused
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import AmendOrder, CancelOrder
from moondev.domain.values import Price, Quantity
from tests.support.order_world import World, assert_books, make_world

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> World:
    return make_world()


def test_every_column_of_an_order_is_written_or_may_be_null() -> None:
    columns = {f.attname for f in Order._meta.concrete_fields if not f.null and f.attname != "id"}
    assert columns <= set(GIVEN_COLUMNS) | set(UNTOUCHED_COLUMNS)


def test_an_approved_order_is_a_row_with_its_reservation_and_history(world: World) -> None:
    recorded = world.record(world.entry("2", "100"))
    order = Order.objects.get()
    assert recorded.order_ids == {order.client_order_id: order.pk}
    assert recorded.account_ids_with_work == {world.account.pk}
    assert (order.status, order.reserved, order.quantity) == ("approved", 200, 2)
    assert order.events.get().status_from == "created"
    assert_books()


def test_a_refused_order_is_a_row_with_the_rule_that_refused_it_and_no_work(world: World) -> None:
    entry = world.entry()
    refused = RiskRefused(entry.outcome.request, RefusalCode.NOTIONAL_EXCEEDS_MAXIMUM, D(500), D(900))
    recorded = orders_record(
        entries=[replace(entry, outcome=refused, reserved=D(0))], commands=[], now=world.clock.now()
    )
    order = Order.objects.get()
    assert recorded.account_ids_with_work == frozenset()
    assert (order.status, order.refusal_code, order.refusal_limit, order.refusal_value) == (
        "refused", "NOTIONAL_EXCEEDS_MAXIMUM", "500", "900",
    )  # fmt: skip
    assert orders_claim(account_id=world.account.pk, worker="w", lease_seconds=5, now=world.clock.now()) is None


def test_recording_twice_writes_once_and_gives_the_second_reservation_back(world: World) -> None:
    entry = world.entry("2", "100")
    world.record(entry)
    recorded = world.record(entry)
    assert recorded.order_ids == {}
    assert recorded.account_ids_with_work == frozenset()
    assert OrderEvent.objects.count() == 1
    assert_books()


def test_the_same_order_twice_in_one_batch_is_one(world: World) -> None:
    entry = world.entry("2", "100")
    world.record(entry, entry)
    assert Order.objects.count() == 1
    assert_books()


def test_a_rolled_back_tick_leaves_nothing(world: World) -> None:
    entry = world.entry()
    with transaction.atomic():
        world.reserve([entry])
        orders_record(entries=[entry], commands=[], now=world.clock.now())
        transaction.set_rollback(True)
    assert not Order.objects.exists()
    assert not ExposureCounter.objects.filter(used__gt=0).exists()


def test_the_number_of_statements_does_not_grow_with_the_batch(world: World) -> None:
    world.record(world.entry())

    def statements(count: int) -> int:
        entries = [world.entry() for _ in range(count)]
        cancels = [cancel_entry(world, order) for order in Order.objects.all()[:count]]
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            orders_record(entries=entries, commands=cancels, now=world.clock.now())
        return len(queries)

    few = statements(2)
    assert statements(60) == few


def cancel_entry(world: World, order: Order) -> CommandEntry:
    request = CancelOrder(order.client_order_id, "hyperliquid:BTC", "test")
    return CommandEntry(request, world.account.pk, "turtle", "t2", world.clock.now() + timedelta(seconds=60))


def test_cancelling_an_order_that_has_not_left_ends_it_here(world: World) -> None:
    order = world.place()
    recorded = world.cancel(order)
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("cancelled", 0)
    assert recorded.account_ids_with_work == frozenset()
    assert not OrderCommand.objects.exists()
    assert world.send() == 0
    assert world.venue.calls == []
    assert_books()


def test_cancelling_an_ended_or_unknown_order_does_nothing(world: World) -> None:
    order = world.place()
    world.cancel(order)
    recorded = world.cancel(order)
    assert recorded.account_ids_with_work == frozenset()
    assert not OrderCommand.objects.exists()
    ghost = Order(client_order_id=world.entry().outcome.request.client_order_id)
    assert orders_record(entries=[], commands=[cancel_entry(world, ghost)], now=world.clock.now()).order_ids == {}


def test_an_account_cannot_command_anothers_order(world: World) -> None:
    order = world.rest()
    other = type(world.account).objects.create(
        code="other", venue=world.account.venue, portfolio=world.account.portfolio, address="0x3", currency="USDC"
    )
    entry = replace(cancel_entry(world, order), account_id=other.pk)
    orders_record(entries=[], commands=[entry], now=world.clock.now())
    assert not OrderCommand.objects.exists()


def test_a_refused_amend_is_kept_in_the_orders_history(world: World) -> None:
    order = world.rest()
    amend = AmendOrder(order.client_order_id, "hyperliquid:BTC", Quantity(D(1)), Price(D(99)), Quantity(D(0)))
    refused = RiskRefused(amend, RefusalCode.PRICE_OUTSIDE_BAND, "500 bps", D(900))
    entry = OrderEntry(refused, world.account.pk, world.btc.pk, "turtle", "t2", D(0), world.clock.now())
    orders_record(entries=[entry], commands=[], now=world.clock.now())
    assert "PRICE_OUTSIDE_BAND" in order.events.last().detail
    order.refresh_from_db()
    assert order.status == "open"


def test_exposure_that_cannot_be_freed_at_once_is_freed_by_the_sweep(world: World, monkeypatch) -> None:
    """A tick that holds other counters must not wait; what it leaves reserved is released later."""
    from apps.exchanges.orders import ending

    order = world.place("2")
    monkeypatch.setattr(ending, "lock_free_exposures", lambda keys: frozenset())
    world.cancel(order)
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("cancelled", 200)
    assert ended_release(world.account.pk) == 1
    assert ended_release(world.account.pk) == 0
    assert_books()


def test_locking_counters_makes_those_that_are_missing(world: World) -> None:
    keys = world.facts.exposure_keys("new", "SOL")
    assert lock_exposures(keys) == dict.fromkeys(keys, 0)


def test_refuses_a_negative_reservation(world: World) -> None:
    with pytest.raises(InvalidValue, match="reserved is"):
        replace(world.entry(), reserved=D(-1))


def test_refuses_a_time_without_a_zone(world: World) -> None:
    with pytest.raises(InvalidValue, match="valid_until"):
        replace(world.entry(), valid_until=world.clock.now().replace(tzinfo=None))
