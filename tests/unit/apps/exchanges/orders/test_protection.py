"""Brackets: what fills is protected at once and once, and one end takes the other out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from apps.exchanges.capabilities import Support
from apps.exchanges.models import UNASSIGNED, AccountEvent, Order, OrderCommand
from apps.exchanges.orders import protection
from apps.exchanges.orders.entries import OrderEntry
from apps.exchanges.orders.protection import Parent, brackets_arm, idle_end, protection_look
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.orders.services import orders_record
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue, NotSent
from moondev.domain.instruments import PriceGrid
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce, client_order_id
from moondev.domain.values import Price, Quantity, Side
from tests.support.order_world import ABLE, VENUE, World, assert_books, make_world

pytestmark = pytest.mark.django_db
D = Decimal
WATCHED = replace(ABLE, resting_reduce_only=Support.EMULATED)


@pytest.fixture
def world() -> World:
    return make_world()


def bracket(side: Side = Side.BUY, **levels: str) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=client_order_id("turtle", "tick", "entry"),
        instrument=f"{VENUE}:BTC",
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Quantity(D(3)),
        price=Price(D(100)),
        purpose=Purpose.OPENING,
        signal_id="s",
        leg="",
        **{name: Price(D(text)) for name, text in levels.items()},  # type: ignore[arg-type]
    )


def enter(world: World, side: Side = Side.BUY, **levels: str) -> Order:
    """Let an order with a bracket rest."""
    request = bracket(side, **levels)
    entry = OrderEntry(
        RiskApproved(request), world.account.pk, world.btc.pk, "turtle", "tick", D(300),
        world.clock.now() + timedelta(seconds=60),
    )  # fmt: skip
    with transaction.atomic():
        world.reserve([entry])
        orders_record(entries=[entry], commands=[], now=world.clock.now())
    world.send()
    return world.order(request.client_order_id)


def fill(world: World, order: Order, quantity: str) -> None:
    """Fill part of a resting order, and book it."""
    order.refresh_from_db()
    world.venue.fill(world.venue.of(order.client_order_id), D(quantity))
    reconcile_account(world.account.pk, world.sessions, world.clock)


def children(order: Order) -> list[tuple[str, str, Decimal, Decimal]]:
    rows = order.children.order_by("pk")
    return [(one.order_type, one.status, one.quantity, one.trigger_price) for one in rows]


def test_a_bracket_has_no_children_before_it_fills(world: World) -> None:
    order = enter(world, stop="90", take_profit="120")
    assert (order.stop_price, order.take_profit_price) == (90, 120)
    assert brackets_arm(VENUE, world.clock.now()) == 0
    assert children(order) == []


def test_a_stop_that_could_not_be_sent_is_offered_until_the_venue_is_back(world: World) -> None:
    order = enter(world, stop="90")
    fill(world, order, "1")
    brackets_arm(VENUE, world.clock.now())
    for _ in range(3):
        world.venue.refuse("place", NotSent("no connection"))
        world.send()
        assert children(order) == [("stop", "approved", D(1), D(90))]
        world.clock.advance(timedelta(minutes=3))
    assert AccountEvent.objects.filter(kind="unreleased_order").count() == 1
    world.send()
    assert children(order) == [("stop", "open", D(1), D(90))]
    assert_books()


def test_a_bracket_that_cannot_be_made_leaves_no_other_without_its_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = enter(world, stop="90")
    fill(world, order, "1")
    odd = Parent(0, 0, 0, order.client_order_id, "", "", "", Side.BUY, D(1), D(0), (), PriceGrid(D(1)))
    real, cover = protection._uncovered, protection._cover

    def covering(parent: Parent, now: datetime) -> int:
        if parent is odd:
            raise InvalidValue("price", 0, "above 0")
        return cover(parent, now)

    monkeypatch.setattr(protection, "_uncovered", lambda venue: [odd, *real(venue)])
    monkeypatch.setattr(protection, "_cover", covering)
    assert brackets_arm(VENUE, world.clock.now()) == 1
    assert children(order) == [("stop", "approved", D(1), D(90))]


def test_every_fill_is_protected_once_and_with_its_own_size(world: World) -> None:
    order = enter(world, stop="90", take_profit="120")
    fill(world, order, "1")
    assert brackets_arm(VENUE, world.clock.now()) == 2
    assert brackets_arm(VENUE, world.clock.now()) == 0
    fill(world, order, "2")
    assert brackets_arm(VENUE, world.clock.now()) == 2
    world.send()
    assert children(order) == [
        ("stop", "open", D(1), D(90)),
        ("take_profit", "open", D(1), D(120)),
        ("stop", "open", D(2), D(90)),
        ("take_profit", "open", D(2), D(120)),
    ]
    assert {(one.side, one.reduce_only) for one in world.venue.live()} == {(Side.SELL, True)}
    assert set(order.children.values_list("strategy", "purpose")) == {("turtle", "protective")}
    assert_books()


def test_a_pass_that_dies_in_the_middle_leaves_nothing_or_everything(world: World) -> None:
    order = enter(world, stop="90", take_profit="120")
    fill(world, order, "1")

    def killed() -> None:
        with transaction.atomic():
            brackets_arm(VENUE, world.clock.now())
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        killed()
    assert children(order) == []
    assert brackets_arm(VENUE, world.clock.now()) == 2


def test_a_short_is_protected_the_other_way_round(world: World) -> None:
    order = enter(world, Side.SELL, stop="110")
    fill(world, order, "3")
    brackets_arm(VENUE, world.clock.now())
    child = order.children.get()
    assert (child.side, child.order_type, child.trigger_price, child.price) == ("buy", "stop", 110, D("113.3"))


def test_one_end_takes_the_other_out(world: World) -> None:
    order = enter(world, stop="90", take_profit="120")
    fill(world, order, "3")
    brackets_arm(VENUE, world.clock.now())
    world.send()
    assert idle_end(VENUE, world.clock.now()) == 0
    stop, profit = order.children.order_by("pk")
    fill(world, profit, "3")
    assert idle_end(VENUE, world.clock.now()) == 1
    # The cancel is under way: nobody asks twice.
    assert idle_end(VENUE, world.clock.now()) == 0
    world.send()
    stop.refresh_from_db()
    assert stop.status == "cancelled"
    assert world.venue.live() == []
    assert world.venue.position() == 0
    assert_books()


def test_resting_orders_that_reduce_more_than_there_is_are_taken_out_where_the_venue_lets_them(world: World) -> None:
    order = enter(world)
    fill(world, order, "3")
    two, one = (world.rest(q, "110", side=Side.SELL, purpose=Purpose.REDUCING) for q in ("2", "1"))
    protection_look(VENUE, WATCHED, world.clock.now())
    assert not OrderCommand.objects.exists()
    # The position shrinks by another order: together they would now open the other side.
    world.venue.trade("BTC", Side.SELL, D(1), D(100), world.venue.of(order.client_order_id))
    reconcile_account(world.account.pk, world.sessions, world.clock)
    protection_look(VENUE, ABLE, world.clock.now())
    assert not OrderCommand.objects.exists()
    protection_look(VENUE, WATCHED, world.clock.now())
    protection_look(VENUE, WATCHED, world.clock.now())
    assert OrderCommand.objects.count() == 2
    world.send()
    assert [world.order(left.client_order_id).status for left in (two, one)] == ["cancelled", "cancelled"]


def test_what_nobody_here_placed_is_left_alone(world: World) -> None:
    order = enter(world, stop="90")
    fill(world, order, "3")
    brackets_arm(VENUE, world.clock.now())
    world.send()
    order.children.update(strategy=UNASSIGNED)
    assert idle_end(VENUE, world.clock.now()) == 0


def test_a_bracket_that_makes_no_sense_is_refused_at_birth() -> None:
    for side, levels in (
        (Side.BUY, {"stop": "120", "take_profit": "90"}),
        (Side.SELL, {"stop": "90", "take_profit": "120"}),
    ):
        with pytest.raises(InvalidValue, match="losing on the losing side"):
            bracket(side, **levels)
    plain = bracket()
    with pytest.raises(InvalidValue, match="opening order"):
        PlaceOrder(
            plain.client_order_id, plain.instrument, plain.side, plain.order_type, plain.time_in_force, plain.quantity,
            plain.price, Purpose.REDUCING, "s", "", stop=Price(D(90)),
        )  # fmt: skip
