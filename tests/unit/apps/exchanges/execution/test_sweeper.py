from __future__ import annotations

from datetime import timedelta

import pytest

from apps.exchanges.execution import sweeper
from apps.exchanges.execution.sweeper import DoubtWatch, sweep
from apps.exchanges.models import Account, Order, Veto
from apps.exchanges.orders import wake as wake_module
from apps.exchanges.orders.begin import orders_begin
from apps.exchanges.orders.services import orders_claim
from moondev.domain.errors import Connectivity
from tests.support.order_world import World, assert_books, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, dict]]:
    found: list[tuple[str, dict]] = []
    for module in (sweeper, wake_module):
        monkeypatch.setattr(module, "wake", lambda task, **arguments: found.append((task, arguments)))
    return found


@pytest.fixture
def world(sent) -> World:
    return make_world()


def later(world: World, seconds: float = 1) -> None:
    world.clock.advance(timedelta(seconds=seconds))


def test_finds_nothing_in_a_quiet_world(world: World, sent: list) -> None:
    world.rest()
    later(world)
    sweep("hyperliquid", world.clock.now())
    assert sent == []


def test_wakes_the_sender_of_an_order_whose_message_was_lost(world: World, sent: list) -> None:
    world.place()
    sweep("hyperliquid", world.clock.now())
    assert sent == []
    later(world)
    assert sweep("hyperliquid", world.clock.now()).woken == (world.account.pk,)
    assert sent == [("exchanges.orders_send", {"account_id": world.account.pk, "venue": "hyperliquid"})]


def test_wakes_the_sender_of_a_command(world: World, sent: list) -> None:
    order = world.rest()
    world.cancel(order)
    later(world)
    assert sweep("hyperliquid", world.clock.now()).woken == (world.account.pk,)


def test_wakes_the_sender_of_a_disabled_account_for_cancels_only(world: World, sent: list) -> None:
    order = world.rest()
    Account.objects.update(enabled=False)
    world.place()
    later(world)
    assert sweep("hyperliquid", world.clock.now()).woken == ()
    world.cancel(order)
    later(world)
    assert sweep("hyperliquid", world.clock.now()).woken == (world.account.pk,)


def test_leaves_an_account_alone_whose_sender_is_at_work(world: World, sent: list) -> None:
    world.place()
    orders_claim(account_id=world.account.pk, worker="w", lease_seconds=10, now=world.clock.now())
    later(world)
    assert sweep("hyperliquid", world.clock.now()).woken == ()
    later(world, 10)
    assert sweep("hyperliquid", world.clock.now()).woken == (world.account.pk,)


def test_ends_orders_whose_time_has_passed_although_nobody_sends(world: World, sent: list) -> None:
    order = world.place(valid_seconds=1)
    later(world, 2)
    assert sweep("hyperliquid", world.clock.now()).expired == 1
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("expired", 0)
    assert sent == []
    assert_books()


def test_frees_what_ended_orders_still_hold(world: World, sent: list) -> None:
    world.place()
    Order.objects.update(status="cancelled")
    assert sweep("hyperliquid", world.clock.now()).released == 1
    assert_books()


def test_calls_reconciliation_for_a_sender_that_fell_silent(world: World, sent: list) -> None:
    world.place()
    Order.objects.update(status="sending", claimed_until=world.clock.now())
    later(world)
    assert sweep("hyperliquid", world.clock.now()).lapsed
    assert ("exchanges.orders_reconcile", {"venue": "hyperliquid"}) in sent


def test_wakes_the_veto_worker_for_a_halt_nobody_works_on(world: World, sent: list) -> None:
    veto = Veto.objects.create(
        venue_id="hyperliquid", scope_kind="everything", scope_key="*", epoch=1, reason="r", actor="a",
        engaged_at=world.clock.now(),
    )  # fmt: skip
    assert sweep("hyperliquid", world.clock.now()).halts
    assert sent == [("exchanges.orders_veto", {"venue": "hyperliquid"})]
    Veto.objects.filter(pk=veto.pk).update(worker="w", worker_until=world.clock.now() + timedelta(seconds=5))
    assert not sweep("hyperliquid", world.clock.now()).halts


def test_another_venues_rows_are_not_its_business(world: World, sent: list) -> None:
    world.place()
    later(world)
    assert sweep("elsewhere", world.clock.now()).woken == ()


def test_an_unknown_outcome_is_asked_about_soon_but_not_without_end(world: World) -> None:
    published: list[dict] = []
    doubts = DoubtWatch("hyperliquid", world.clock, lambda name, **told: published.append({"name": name, **told}))
    world.venue.drop_answer("place", Connectivity("read timed out"))
    assert world.rest().status == "unknown"
    doubts.look()
    assert published == []
    for _ in range(14):
        world.clock.advance(timedelta(seconds=0.5))
        doubts.look()
    # After half a second, two seconds later, and four seconds after that.
    assert published == [{"name": "exchanges.orders_reconcile", "venue": "hyperliquid"}] * 3
    world.clock.advance(timedelta(seconds=30))
    doubts.look()
    assert len(published) == 3


def test_a_cancel_whose_answer_was_lost_is_asked_about_soon(world: World) -> None:
    published: list[str] = []
    world.cancel(world.rest())
    world.venue.drop_answer("cancel", Connectivity("read timed out"))
    world.send()
    world.clock.advance(timedelta(seconds=1))
    DoubtWatch("hyperliquid", world.clock, lambda name, **_: published.append(name)).look()
    DoubtWatch("another", world.clock, lambda name, **_: published.append(name)).look()
    assert published == ["exchanges.orders_reconcile"]


def test_after_a_clock_went_back_what_a_dead_sender_had_is_everybodys_again(world: World, sent: list) -> None:
    """He claimed by a clock that ran an hour ahead, began one order, and died."""
    begun, claimed = world.place(), world.place()
    ahead = world.clock.now() + timedelta(hours=1)
    Order.objects.update(valid_until=ahead + timedelta(hours=1))
    claim = orders_claim(account_id=world.account.pk, worker="dead", lease_seconds=12, now=ahead)
    orders_begin(claim, [begun.pk], until=claim.until, venue_expires_at=claim.until, now=ahead)
    later(world)
    swept = sweep("hyperliquid", world.clock.now())
    assert (swept.woken, swept.lapsed) == ((world.account.pk,), True)
    world.send("another")
    assert world.order(claimed.client_order_id).status == "open"
    assert orders_begin(claim, [claimed.pk], until=ahead, venue_expires_at=ahead, now=world.clock.now()) == frozenset()


def test_a_lease_of_a_machine_whose_clock_is_a_little_ahead_stands(world: World, sent: list) -> None:
    world.place()
    soon = world.clock.now() + timedelta(seconds=10)
    orders_claim(account_id=world.account.pk, worker="ahead", lease_seconds=12, now=soon)
    sweep("hyperliquid", world.clock.now())
    assert Account.objects.get().sender == "ahead"
