from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from apps.exchanges.models import Account, OrderCommand
from apps.exchanges.orders.begin import orders_begin
from apps.exchanges.orders.services import Claim, orders_claim
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import Purpose
from moondev.domain.values import Side
from tests.support.order_world import World, assert_books, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def claim(world: World, worker: str = "w", limit: int = 50) -> Claim | None:
    return orders_claim(
        account_id=world.account.pk, worker=worker, lease_seconds=10, limit=limit, now=world.clock.now()
    )


def test_gives_back_the_order_that_was_approved(world: World) -> None:
    entry = world.entry("1.5", "101.3")
    world.record(entry)
    (order,) = claim(world).orders
    assert isinstance(order.approved, RiskApproved)
    request = entry.outcome.request
    assert (order.approved.request.client_order_id, order.approved.request.quantity, order.approved.request.price) == (
        request.client_order_id, request.quantity, request.price,
    )  # fmt: skip
    assert order.approved.request.instrument == request.instrument


def test_exits_come_before_openings(world: World) -> None:
    world.record(world.entry(), world.entry(side=Side.SELL, purpose=Purpose.REDUCING), world.entry())
    claimed = claim(world)
    assert [o.reduces for o in claimed.orders] == [True, False, False]
    assert (len(claimed.reducing), len(claimed.opening)) == (1, 2)


@pytest.mark.parametrize("planner", ["hashjoin", "mergejoin", "nestloop", "material"])
def test_never_claims_more_than_the_limit_whatever_the_planner_thinks(world: World, planner: str) -> None:
    """A LIMIT in a sub-select that the planner may run again for every row bounds nothing."""
    world.record(*[world.entry() for _ in range(30)])
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_{planner} = off")
        cursor.execute("SET LOCAL enable_hashagg = off")
    assert len(claim(world, limit=7).orders) == 7


def test_never_claims_more_commands_than_the_limit(world: World) -> None:
    orders = [world.place() for _ in range(6)]
    world.send()
    for order in orders:
        world.cancel(order)
    assert len(claim(world, limit=4).cancels) == 4
    assert OrderCommand.objects.exclude(claimed_by="").count() == 4


def test_an_idle_account_is_not_leased(world: World) -> None:
    assert claim(world) is None
    assert Account.objects.get().fence == 0


def test_each_claim_raises_the_fence_and_the_old_one_may_not_begin(world: World) -> None:
    world.place(valid_seconds=600)
    first = claim(world, "slow")
    world.clock.advance(timedelta(seconds=11))
    second = claim(world, "next")
    assert second.fence == first.fence + 1
    ids = [order.order_id for order in first.orders]
    times = {"until": second.until, "venue_expires_at": second.until, "now": world.clock.now()}
    assert orders_begin(first, ids, **times) == frozenset()
    assert orders_begin(second, ids, **times) == frozenset(ids)
    assert orders_begin(second, ids, **times) == frozenset()


def test_an_order_that_has_run_out_of_time_since_the_claim_is_not_begun(world: World) -> None:
    world.place(valid_seconds=5)
    claimed = claim(world)
    world.clock.advance(timedelta(seconds=6))
    ids = [order.order_id for order in claimed.orders]
    begun = orders_begin(claimed, ids, until=claimed.until, venue_expires_at=claimed.until, now=world.clock.now())
    assert begun == frozenset()
    assert_books()


def test_a_command_past_its_time_is_dropped(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    world.clock.advance(timedelta(seconds=61))
    assert claim(world) is None
    assert OrderCommand.objects.get().status == "dropped"
    assert world.venue.live()


def test_a_cancel_waits_for_an_order_that_is_being_sent(world: World) -> None:
    order = world.place()
    claimed = claim(world)
    orders_begin(claimed, [order.pk], until=claimed.until, venue_expires_at=claimed.until, now=world.clock.now())
    world.cancel(order)
    assert claim(world) is None
    assert OrderCommand.objects.get().status == "approved"
