"""Somebody else trades on an account of ours: he is noticed, told of, and nothing is opened beside him."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.execution.gate import GateScope, gate_modes
from apps.exchanges.models import UNASSIGNED, AccountEvent, Order, TradingMode
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.orders.user_events import apply_user_events
from apps.exchanges.ports import OrderBatch, ReportSource
from moondev.domain.errors import Connectivity
from moondev.domain.orders import OrderStatus, Purpose
from moondev.domain.values import Side
from tests.support.order_world import World, assert_books, make_world
from tests.support.venue_stub import VenueOrder

pytestmark = pytest.mark.django_db
D = Decimal
KIND = AccountEvent.Kind


@pytest.fixture
def world() -> World:
    return make_world()


def heard(world: World, *orders: VenueOrder) -> None:
    """Let the account's stream tell of orders."""
    reports = tuple(world.venue.word(order, ReportSource.STREAM) for order in orders)
    apply_user_events(world.account.pk, [OrderBatch(reports)], world.sessions, world.clock)


def mode(world: World, symbol: str) -> TradingMode:
    scope = GateScope.of(world.facts, "turtle", f"hyperliquid:{symbol}")
    return gate_modes([scope], world.clock.now())[scope]


def told(world: World) -> list[str]:
    return list(AccountEvent.objects.filter(account=world.account).order_by("pk").values_list("kind", flat=True))


def test_a_stranger_s_order_is_told_listed_and_stops_opening_there_until_it_is_gone(world: World) -> None:
    waiting = world.place()
    foreign = world.venue.rest("BTC", Side.BUY, D(90), D(2))
    heard(world, foreign)
    assert told(world) == [KIND.SECOND_WRITER, KIND.ADOPTED_ORDER]
    assert foreign.venue_order_id in AccountEvent.objects.get(kind=KIND.SECOND_WRITER).message
    adopted = Order.objects.get(strategy=UNASSIGNED)
    assert (adopted.venue_order_id, adopted.quantity, adopted.status) == (foreign.venue_order_id, 2, "open")
    assert (mode(world, "BTC"), mode(world, "ETH")) == (TradingMode.REDUCING, TradingMode.ACTIVE)
    world.send()
    assert (world.order(waiting.client_order_id).status, len(world.venue.live())) == ("cancelled", 1)
    foreign.status = OrderStatus.CANCELLED
    heard(world, foreign)
    assert mode(world, "BTC") is TradingMode.ACTIVE
    assert_books()


def test_what_a_stranger_holds_stops_opening_there_until_somebody_owns_it(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(1), D(100))
    reconcile_account(world.account.pk, world.sessions, world.clock)
    world.clock.advance(timedelta(seconds=11))
    assert told(world) == [KIND.ORPHAN_FILL]
    assert (mode(world, "BTC"), mode(world, "ETH")) == (TradingMode.REDUCING, TradingMode.ACTIVE)


def test_our_own_orders_are_no_strangers_whatever_became_of_them(world: World) -> None:
    resting, cancelled = world.rest(), world.rest()
    world.cancel(cancelled)
    world.send()
    lost = world.place()
    world.venue.drop_answer("place", Connectivity("reset"))
    world.send()
    exit_ = world.rest(side=Side.SELL, price="200", purpose=Purpose.PROTECTIVE)
    placed = [o.client_order_id for o in (resting, cancelled, lost, exit_)]
    heard(world, *(order for order in world.venue.orders.values() if order.client_order_id in placed))
    assert told(world) == []
    assert mode(world, "BTC") is TradingMode.ACTIVE


def test_a_stop_that_somebody_set_by_hand_is_told_and_stops_nothing(world: World) -> None:
    stop = world.venue.rest("BTC", Side.SELL, D(80), D(1))
    stop.reduce_only, stop.trigger = True, D(81)
    heard(world, stop)
    assert KIND.SECOND_WRITER in told(world)
    assert mode(world, "BTC") is TradingMode.ACTIVE


def test_a_busy_stranger_does_not_spend_our_budget(world: World) -> None:
    for price in range(20):
        heard(world, world.venue.rest("BTC", Side.BUY, D(80 + price), D(1)))
    assert world.venue.calls.count("open_orders") == 1
    assert told(world).count(KIND.SECOND_WRITER) == 1
    reconcile_account(world.account.pk, world.sessions, world.clock)
    assert Order.objects.filter(strategy=UNASSIGNED).count() == 20, "the full look of every minute takes the others"


def test_a_venue_that_does_not_answer_then_is_asked_by_the_next_full_look(world: World) -> None:
    world.venue.refuse("open_orders", Connectivity("timed out"))
    heard(world, world.venue.rest("BTC", Side.BUY, D(90), D(2)))
    assert told(world) == [KIND.SECOND_WRITER]
    reconcile_account(world.account.pk, world.sessions, world.clock)
    assert mode(world, "BTC") is TradingMode.REDUCING
