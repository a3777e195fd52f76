from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from django.db import OperationalError

from apps.exchanges.models import UNASSIGNED, Account, AccountEvent, Fill, Order, OrderCommand, Position, Signer
from apps.exchanges.orders.reconcile import Reconciled, Reconciliation, reconcile_account, reconcile_venue
from apps.exchanges.orders.services import orders_claim, reports_apply
from apps.exchanges.orders.user_events import apply_user_events
from apps.exchanges.ports import (
    Connected,
    Disconnected,
    FillBatch,
    FundingBatch,
    FundingPayment,
    OrderBatch,
    Refused,
    Unreadable,
)
from moondev.domain.errors import Connectivity, RateLimited
from moondev.domain.fills import FillReport
from moondev.domain.orders import OrderStatus, Purpose, TimeInForce
from moondev.domain.values import Money, Side, SignedQuantity
from tests.support.order_world import ABLE, World, assert_books, make_world, report
from tests.support.venue_stub import StubVenue, VenueOrder

pytestmark = pytest.mark.django_db
D = Decimal
S = OrderStatus


@pytest.fixture
def world() -> World:
    return make_world()


def reconcile(world: World) -> Reconciled:
    return reconcile_account(world.account.pk, world.sessions, world.clock)


def lost_answer(world: World, **kwargs) -> Order:
    world.venue.drop_answer("place", Connectivity("reset"))
    return world.rest(**kwargs)


def test_finds_an_order_whose_answer_was_lost(world: World) -> None:
    order = lost_answer(world)
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.venue_order_id) == ("open", world.venue.live()[0].venue_order_id)
    assert len(world.venue.live()) == 1
    assert_books()


def test_books_the_fills_of_an_order_whose_answer_was_lost(world: World) -> None:
    order = lost_answer(world, tif=TimeInForce.IOC)
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", 1)
    assert Position.objects.get().quantity == 1
    assert_books()


def test_never_heard_of_it_is_final_only_after_the_venues_expiry_and_twice(world: World) -> None:
    world.venue.refuse("place", Connectivity("lost on the way"))
    order = world.rest()
    for seconds in (1, 5, 3, 3):
        reconcile(world)
        order.refresh_from_db()
        assert (order.status, order.reserved) == ("unknown", 100)
        world.clock.advance(timedelta(seconds=seconds))
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("expired", 0)
    assert_books()


def test_two_denials_in_the_same_moment_count_once(world: World) -> None:
    world.venue.refuse("place", Connectivity("lost on the way"))
    order = world.rest()
    world.clock.advance(timedelta(seconds=20))
    reconcile(world)
    reconcile(world)
    order.refresh_from_db()
    assert order.status == "unknown"


def test_a_venue_that_does_not_answer_changes_nothing(world: World) -> None:
    order = lost_answer(world)
    for call in ("order_status", "open_orders", "fills", "funding", "account_snapshot"):
        world.venue.refuse(call, Connectivity("down"))
    result = reconcile(world)
    order.refresh_from_db()
    assert order.status == "unknown"
    assert len(result.errors) == 5
    assert not result.complete
    assert AccountEvent.objects.count() == 0


def test_a_sender_that_died_while_sending_leaves_an_order_to_ask_about(world: World) -> None:
    order = lost_answer(world)
    Order.objects.update(status="sending", claimed_until=world.clock.now() + timedelta(seconds=10))
    reconcile(world)
    order.refresh_from_db()
    assert order.status == "sending"
    world.clock.advance(timedelta(seconds=11))
    assert reconcile(world).lapsed == 1
    order.refresh_from_db()
    assert order.status == "open"


def test_books_fills_that_nobody_told_us_of(world: World) -> None:
    order = world.rest()
    world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    assert reconcile(world).fills == 1
    assert reconcile(world).fills == 0
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("partially_filled", D("0.4"))
    assert_books()


def test_a_quick_look_asks_for_fills_when_the_positions_differ(world: World) -> None:
    order = world.rest()
    reconcile(world)
    world.venue.calls.clear()
    world.clock.advance(timedelta(seconds=10))
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert world.venue.calls == ["account_snapshot"]
    world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert "fills" in world.venue.calls
    assert Fill.objects.count() == 1
    assert not AccountEvent.objects.exists()
    assert_books()


def test_looks_at_an_account_in_full_once_a_minute(world: World) -> None:
    reconcile(world)
    world.clock.advance(timedelta(seconds=61))
    world.venue.calls.clear()
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert "open_orders" in world.venue.calls


def test_adopts_an_order_it_never_placed_and_says_so(world: World) -> None:
    world.venue.rest("BTC", Side.SELL, D(120), D(2))
    assert reconcile(world).adopted == 1
    assert reconcile(world).adopted == 0
    order = Order.objects.get()
    assert (order.strategy, order.status, order.reserved) == (UNASSIGNED, "open", 240)
    assert AccountEvent.objects.get().kind == "adopted_order"
    assert_books()


def test_an_adopted_order_that_fills_belongs_to_nobody_and_stops_opening(world: World) -> None:
    stranger = world.venue.rest("BTC", Side.SELL, D(120), D(2))
    reconcile(world)
    world.venue.fill(stranger, D(2))
    reconcile(world)
    position = Position.objects.get()
    assert (position.strategy, position.quantity) == (UNASSIGNED, -2)
    assert_books()
    world.clock.advance(timedelta(seconds=11))
    assert world.rest().status == "cancelled"
    assert world.rest(instrument=world.eth).status == "open"


def test_ends_an_order_that_lives_though_its_record_has_ended(world: World) -> None:
    order = world.rest()
    Order.objects.update(status="expired", reserved=0)
    world.clock.advance(timedelta(seconds=10))
    assert reconcile(world).zombies == 1
    assert world.venue.live() == []
    order.refresh_from_db()
    assert order.status == "expired"
    assert AccountEvent.objects.get().kind == "zombie_order"


def test_asks_for_an_order_of_ours_that_the_venue_does_not_show(world: World) -> None:
    order = world.rest()
    world.venue.of(order.client_order_id).status = S.CANCELLED
    world.clock.advance(timedelta(seconds=10))
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("cancelled", 0)
    assert_books()


@pytest.mark.parametrize(
    ("trigger", "status", "asked"), [(D(90), S.OPEN, 0), (None, S.OPEN, 1), (None, S.CANCELLED, 1)]
)
def test_an_order_that_waits_for_its_trigger_is_known_by_our_id(
    world: World, trigger: Decimal | None, status: OrderStatus, asked: int
) -> None:
    # Binance names an order of its own only when the trigger fires. Orders that wait would otherwise be asked for one
    # by one at every pass, and keep doubtful ones from being asked for; one released unheard must be, for its id.
    order = world.rest()
    Order.objects.update(venue_order_id="")
    there = world.venue.of(order.client_order_id)
    there.trigger, there.status = trigger, status
    world.clock.advance(timedelta(seconds=10))
    reconcile(world)
    assert world.venue.calls.count("order_status") == asked
    order.refresh_from_db()
    assert order.status == status
    assert bool(order.venue_order_id) == (trigger is None)


def test_an_order_the_venue_shrank_ends_once_all_fills_are_in(world: World) -> None:
    order = world.rest("1")
    trade = world.venue.fill(world.venue.of(order.client_order_id), D("0.6"))
    reports_apply(
        account_id=world.account.pk,
        reports=[report(order, S.FILLED, filled="1"), report(order, fills=[trade])],
        now=world.clock.now(),
    )
    reconcile(world)
    order.refresh_from_db()
    assert order.status == "partially_filled"
    world.clock.advance(timedelta(seconds=30))
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity, order.reserved) == ("filled", D("0.6"), 0)
    assert_books()


def test_a_cancel_without_an_answer_is_settled_by_asking(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    world.venue.drop_answer("cancel", Connectivity("reset"))
    world.send()
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("cancelled", "done")
    assert_books()


def test_a_cancel_whose_answer_is_no_status_stays_in_doubt_until_there_is_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A chain takes a cancel and carries it out with a later block: till then neither "open" nor "cancelled" is true.
    order = world.rest()
    world.cancel(order)
    world.venue.drop_answer("cancel", Connectivity("reset"))
    world.send()
    placed = world.venue.of(order.client_order_id)
    word = world.venue.word(placed)
    with monkeypatch.context() as patched:
        patched.setattr(world.venue, "word", lambda _: replace(word, status=None, reason="on its way into a block"))
        reconcile(world)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("cancelling", "unknown")
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("cancelled", "done")
    assert_books()


def test_no_order_ends_while_its_fills_cannot_be_asked_for(world: World) -> None:
    """The venue's word for a cancelled order does not say how much of it had filled."""
    resting, lost = world.rest(), lost_answer(world)
    for order in (resting, lost):
        placed = world.venue.of(order.client_order_id)
        world.venue.fill(placed, D("0.6"))
        placed.status = S.CANCELLED
    world.clock.advance(timedelta(seconds=3))
    world.venue.before["fills"] = [Connectivity("reset")] * 3
    reconcile(world)
    assert not Fill.objects.exists()
    assert list(Order.objects.order_by("pk").values_list("status", "reserved")) == [("open", 100), ("unknown", 100)]
    for _ in range(2):
        world.clock.advance(timedelta(seconds=3))
        reconcile(world)
    rows = Order.objects.order_by("pk").values_list("status", "filled_quantity", "reserved")
    assert list(rows) == [("cancelled", D("0.6"), 0)] * 2
    assert_books()


def test_a_cancel_that_never_arrived_lets_the_order_rest(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    world.venue.refuse("cancel", Connectivity("lost"))
    world.send()
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("open", "failed")


def test_an_amend_without_an_answer_is_known_by_the_new_id(world: World) -> None:
    order = world.rest()
    world.amend(order, "0.5", "99")
    world.venue.drop_answer("amend", Connectivity("reset"))
    world.send()
    order.refresh_from_db()
    assert order.status == "amending"
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price) == ("open", D("0.5"), 99)
    assert order.venue_order_id == world.venue.live()[0].venue_order_id
    assert OrderCommand.objects.get().status == "done"
    assert_books()


def test_an_amend_that_never_arrived_lets_the_order_rest(world: World) -> None:
    order = world.rest()
    world.amend(order, "0.5", "99")
    world.venue.refuse("amend", Connectivity("lost"))
    world.send()
    world.clock.advance(timedelta(seconds=8))
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.quantity) == ("open", 1)


def amend_arrives_late(world: World, order: Order) -> VenueOrder:
    """The venue carries out, unheard, an amend of `order` to 0.5 at 99; it lives under another id from then on."""
    world.venue.of(order.client_order_id).status = S.CANCELLED
    return world.venue._new(order.client_order_id, "BTC", Side.BUY, D(99), D("0.5"), reduce_only=False)


def test_an_amend_that_may_still_arrive_is_not_declared_failed(world: World) -> None:
    order = world.rest("1", "100")
    world.amend(order, "0.5", "99")
    world.venue.refuse("amend", Connectivity("slow"))
    world.send()
    world.clock.advance(timedelta(seconds=1))
    reconcile(world)
    assert (OrderCommand.objects.get().status, world.order(order.client_order_id).status) == ("unknown", "amending")
    late = amend_arrives_late(world, order)
    world.clock.advance(timedelta(seconds=1))
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price) == ("open", D("0.5"), 99)
    assert order.venue_order_id == late.venue_order_id
    assert OrderCommand.objects.get().status == "done"
    assert_books()


def test_follows_an_order_that_rests_under_an_id_we_have_not_heard_of(world: World) -> None:
    order = world.rest("1", "100")
    late = amend_arrives_late(world, order)
    world.clock.advance(timedelta(seconds=3))
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price) == ("open", D("0.5"), 99)
    assert (order.venue_order_id, order.reserved) == (late.venue_order_id, D("49.5"))
    assert len(world.venue.live()) == 1
    reports_apply(account_id=world.account.pk, reports=[world.venue.word(late)], now=world.clock.now())
    assert_books()


def test_an_amend_in_place_whose_answer_was_lost_shows_in_the_venues_list(world: World) -> None:
    world.venue.amends_in_place = True
    order = world.rest("1", "100")
    world.amend(order, "0.5", "99")
    world.venue.drop_answer("amend", Connectivity("cut"))
    world.send()
    world.clock.advance(timedelta(seconds=8))
    reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price, order.reserved) == ("open", D("0.5"), 99, D("49.5"))
    assert_books()


def test_an_amend_in_place_counts_what_had_filled_before(world: World) -> None:
    world.venue.amends_in_place = True
    order = world.rest("1", "100")
    at_venue = world.venue.of(order.client_order_id)
    filled = world.venue.fill(at_venue, D("0.4"))
    reports_apply(
        account_id=world.account.pk,
        reports=[report(order.client_order_id, venue_id=at_venue.venue_order_id, fills=[filled])],
        now=world.clock.now(),
    )
    world.amend(world.order(order.client_order_id), "0.3", "99")
    world.send()
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price) == ("partially_filled", D("0.7"), 99)
    world.clock.advance(timedelta(seconds=61))
    reconcile(world)
    order.refresh_from_db()
    assert (order.quantity, order.price, at_venue.quantity) == (D("0.7"), 99, D("0.7"))
    assert_books()


def test_a_fill_during_an_amend_in_place_comes_off_what_is_left(world: World) -> None:
    world.venue.amends_in_place = True
    order = world.rest("1", "100")
    at_venue = world.venue.of(order.client_order_id)

    def fill_first(call: str) -> None:
        if call == "amend":
            filled = world.venue.fill(at_venue, D("0.1"))
            news = report(order.client_order_id, venue_id=at_venue.venue_order_id, fills=[filled])
            reports_apply(account_id=world.account.pk, reports=[news], now=world.clock.now())

    world.venue.watch = fill_first
    world.amend(order, "0.5", "99")
    world.send()
    order.refresh_from_db()
    assert (order.quantity, order.filled_quantity, at_venue.quantity) == (D("0.5"), D("0.1"), D("0.5"))
    assert order.reserved == D("0.4") * 99
    assert_books()


def test_a_list_that_shows_what_we_know_changes_nothing(world: World) -> None:
    order = world.rest("1", "100")
    world.clock.advance(timedelta(seconds=61))
    before = order.events.count()
    reconcile(world)
    assert order.events.count() == before


def test_ends_an_order_that_ended_under_an_id_we_have_not_heard_of(world: World) -> None:
    order = world.rest("1", "100")
    late = amend_arrives_late(world, order)
    world.venue.fill(late, D("0.2"))
    late.status = S.CANCELLED
    for _ in range(3):
        world.clock.advance(timedelta(seconds=61))
        reconcile(world)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity, order.reserved) == ("cancelled", D("0.2"), 0)
    assert_books()


def test_positions_that_differ_for_no_reason_are_an_alarm(world: World) -> None:
    world.rest(tif=TimeInForce.IOC)
    reconcile(world)
    Position.objects.update(quantity=2)
    world.clock.advance(timedelta(minutes=5))
    assert [str(one) for one in reconcile(world).differences] == ["BTC: ledger 2, venue 1"]
    assert AccountEvent.objects.get().kind == "position_differs"
    reconcile(world)
    assert AccountEvent.objects.count() == 1


def test_nothing_is_opened_where_ledger_and_venue_differ_until_they_agree(world: World) -> None:
    """A strategy that plans on a position which is not there buys it again."""
    world.rest(tif=TimeInForce.IOC)
    reconcile(world)
    Position.objects.update(quantity=2)
    world.clock.advance(timedelta(seconds=60))
    reconcile(world)
    assert world.rest().status == "cancelled"
    assert world.rest(side=Side.SELL, purpose=Purpose.REDUCING).status == "open"
    assert world.rest(instrument=world.eth).status == "open"
    Position.objects.update(quantity=1)
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert world.rest().status == "open"


def test_a_difference_that_a_fill_on_its_way_explains_stops_nothing(world: World) -> None:
    order = world.rest()
    reconcile(world)
    world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    world.venue.refuse("fills", Connectivity("?"))
    world.clock.advance(timedelta(seconds=20))
    assert reconcile(world).differences
    assert world.rest().status == "open"


def filled_but_shown_later(world: World, seconds: float) -> None:
    """Fill an order whose row the venue's history does not show yet, look in full after `seconds`, then show it."""
    order = world.rest()
    reconcile(world)
    world.clock.advance(timedelta(seconds=1))
    trade = world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    world.venue.trades.clear()
    world.clock.advance(timedelta(seconds=seconds))
    reconcile(world)
    assert not Fill.objects.exists()
    world.venue.trades.append(trade)


@pytest.mark.parametrize("look", [reconcile, lambda w: reconcile_venue("hyperliquid", w.sessions, w.clock)])
def test_a_fill_that_showed_later_than_any_lag_is_found_before_the_alarm(
    world: World, look: Callable[[World], object]
) -> None:
    filled_but_shown_later(world, 400)
    world.clock.advance(timedelta(seconds=20))
    look(world)
    assert Fill.objects.get().quantity == D("0.4")
    assert not AccountEvent.objects.exists()
    assert world.rest().status == "open"
    assert_books()


def test_every_question_for_fills_reaches_back_by_the_lag_of_the_venue(world: World) -> None:
    world.able = replace(ABLE, fills_lag_seconds=60)
    filled_but_shown_later(world, 40)
    world.venue.in_snapshot = False
    reconcile(world)
    assert Fill.objects.get().quantity == D("0.4")
    assert_books()


def test_a_day_of_fills_is_asked_for_once_per_difference_and_then_no_more_often_than_in_full(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rest(tif=TimeInForce.IOC)
    reconcile(world)
    Position.objects.update(quantity=2)
    far_back = 0
    answer = world.venue.fills

    def counted(since: datetime) -> list[FillReport]:
        nonlocal far_back
        far_back += world.clock.now() - since >= timedelta(days=1)
        return answer(since)

    monkeypatch.setattr(world.venue, "fills", counted)
    after_each_look = []
    for _ in range(14):
        world.clock.advance(timedelta(seconds=5))
        reconcile_venue("hyperliquid", world.sessions, world.clock)
        after_each_look.append(far_back)
    # Not before fills on their way have had their time; once; then with the first look in full.
    assert after_each_look == [0] + [1] * 11 + [2] * 2
    assert AccountEvent.objects.get().kind == "position_differs"


def test_what_fills_between_two_questions_is_no_difference(world: World) -> None:
    """The venue's positions know of it, our fills do not yet, and nothing of ours shows that it is on its way."""
    order = world.rest()
    reconcile(world)
    world.clock.advance(timedelta(seconds=60))

    def fill_once(call: str) -> None:
        if call == "account_snapshot":
            world.venue.watch = None
            world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))

    world.venue.watch = fill_once
    assert reconcile(world).differences == ()
    assert Fill.objects.count() == 1
    assert not AccountEvent.objects.exists()
    assert world.rest().status == "open"


def test_an_account_that_could_not_be_asked_for_minutes_opens_nothing_until_it_was(world: World) -> None:
    """After an outage of ours or theirs nobody knows what is held; the first answer, not the first tick, decides."""
    world.rest(tif=TimeInForce.IOC)
    reconcile(world)
    world.clock.advance(timedelta(seconds=170))
    assert world.rest(valid_seconds=600).status == "open"
    world.clock.advance(timedelta(seconds=11))
    assert world.rest().status == "cancelled"
    assert world.rest(side=Side.SELL, purpose=Purpose.REDUCING).status == "open"
    world.venue.refuse("fills", Connectivity("?"))
    reconcile(world)
    assert world.rest().status == "cancelled"
    reconcile(world)
    assert world.rest().status == "open"


def test_worth_is_compared_once_positions_agree(world: World) -> None:
    order = world.rest()
    assert reconcile(world).equity_difference == 0
    world.venue.deposit -= D(25)
    assert reconcile(world).equity_difference == 25
    world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    world.venue.refuse("fills", Connectivity("?"))
    assert reconcile(world).equity_difference is None


def test_an_order_that_the_venue_has_forgotten_ends_after_it_said_so_twice(world: World) -> None:
    order = world.rest()
    reconcile(world)
    world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    world.venue.orders.clear()
    for seconds in (10, 10):
        order.refresh_from_db()
        assert order.status in {"open", "partially_filled"}
        world.clock.advance(timedelta(seconds=seconds))
        reconcile(world)
    order.refresh_from_db()
    # What it had filled before was asked for, not forgotten with it.
    assert (order.status, order.filled_quantity, order.reserved) == ("cancelled", D("0.4"), 0)
    assert_books()


def test_an_order_that_shows_again_was_not_forgotten(world: World) -> None:
    order = world.rest()
    kept = dict(world.venue.orders)
    for gone in (True, False, True):
        world.venue.orders.clear()
        if not gone:
            world.venue.orders.update(kept)
        world.clock.advance(timedelta(seconds=10))
        reconcile(world)
    order.refresh_from_db()
    assert order.status == "open"


def test_a_failed_question_is_not_taken_for_an_empty_venue(world: World) -> None:
    order = world.rest()
    world.rest(tif=TimeInForce.IOC)
    reconcile(world)
    for call in ("open_orders", "fills", "account_snapshot", "order_status"):
        for _ in range(4):
            world.venue.refuse(call, Connectivity("?"))
    for _ in range(4):
        world.clock.advance(timedelta(seconds=20))
        assert not reconcile(world).complete
    order.refresh_from_db()
    assert order.status == "open"
    assert Position.objects.get().quantity == 1
    assert not AccountEvent.objects.exists()


def test_many_orders_in_doubt_are_found_in_the_venue_s_list_and_few_are_asked_for(world: World) -> None:
    entries = [world.entry() for _ in range(40)]
    world.record(*entries)
    world.venue.drop_answer("place", Connectivity("read timed out"))
    world.send()
    # A quarter of them is gone by the time we ask.
    for order in list(world.venue.live())[:30]:
        order.status = S.CANCELLED
    world.venue.calls.clear()
    world.clock.advance(timedelta(seconds=10))
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert Order.objects.filter(status="open").count() == 10
    assert world.venue.calls.count("order_status") <= 20
    assert Order.objects.filter(status="unknown").count() == 10
    world.clock.advance(timedelta(seconds=10))
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert not Order.objects.filter(status="unknown").exists()
    assert_books()


def test_an_order_touched_a_moment_ago_is_not_questioned(world: World) -> None:
    """The venue's list may be older than our word of the order."""
    order = world.rest()
    world.venue.of(order.client_order_id).status = S.CANCELLED
    world.venue.calls.clear()
    reconcile(world)
    assert "order_status" not in world.venue.calls
    order.refresh_from_db()
    assert order.status == "open"


def test_a_second_restart_finds_nothing_that_the_first_did_not(world: World) -> None:
    """Ids of what is adopted are made from the venue's, so neither orders nor fills come in twice."""
    stranger = world.venue.rest("BTC", Side.SELL, D(120), D(2))
    world.venue.fill(stranger, D(1))
    reconcile(world)
    first = [set(model.objects.values_list("pk", flat=True)) for model in (Order, Fill, Position, AccountEvent)]
    Account.objects.update(fills_known_until=None)
    world.clock.advance(timedelta(seconds=20))
    again = reconcile(world)
    assert (again.adopted, again.fills, again.differences) == (0, 0, ())
    second = [set(model.objects.values_list("pk", flat=True)) for model in (Order, Fill, Position, AccountEvent)]
    assert second == first


def test_fills_from_before_the_books_began_are_not_booked(world: World) -> None:
    old = world.venue.trade("BTC", Side.BUY, D(1), D(100))
    world.venue.trades.clear()
    world.clock.advance(timedelta(seconds=1))
    from dataclasses import replace

    ancient = replace(old, time_exchange=old.time_exchange - timedelta(days=1))
    reports_apply(
        account_id=world.account.pk, reports=[report(None, venue_id="x", fills=[ancient])], now=world.clock.now()
    )
    assert Fill.objects.count() == 0


def payment(world: World, amount: str, position: str, hours: int = 1) -> FundingPayment:
    at = world.clock.now() + timedelta(hours=hours)
    return FundingPayment("BTC", Money(D(amount), "USDC"), D("0.0001"), SignedQuantity(D(position)), at, at)


def test_books_funding_once_to_whoever_held_the_position(world: World) -> None:
    world.rest(tif=TimeInForce.IOC)
    reconcile(world)
    world.venue.paid.append(payment(world, "-0.25", "1"))
    assert reconcile(world).funding == 1
    assert reconcile(world).funding == 0
    assert Position.objects.get().funding == D("-0.25")


def test_the_stream_and_a_reconnection_come_to_the_same_books(world: World) -> None:
    order = world.rest("1")
    first = world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    events = [
        OrderBatch((world.venue.word(world.venue.of(order.client_order_id), "stream"),)),
        FillBatch((first,), snapshot=True),
        FundingBatch((payment(world, "0.1", "0.4", hours=0),), snapshot=False),
    ]
    heard = apply_user_events(world.account.pk, events, world.sessions, world.clock)
    assert (heard.orders, heard.fills, heard.funding, heard.reconciled) == (1, 1, 1, False)
    assert apply_user_events(world.account.pk, events, world.sessions, world.clock).fills == 0
    world.venue.fill(world.venue.of(order.client_order_id), D("0.6"))
    again = Connected(world.clock.now(), world.clock.now())
    assert apply_user_events(world.account.pk, [again], world.sessions, world.clock).reconciled
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", 1)
    assert_books()


def test_a_claimed_order_that_was_never_begun_is_not_asked_about(world: World) -> None:
    world.place()
    orders_claim(account_id=world.account.pk, worker="dead", lease_seconds=10, now=world.clock.now())
    world.clock.advance(timedelta(seconds=11))
    assert reconcile(world).lapsed == 0
    assert Order.objects.get().status == "approved"


def test_the_stub_and_the_ledger_agree_on_equity(world: World) -> None:
    """The venue's account value and our books, after trading both ways through zero with fees and funding."""
    from apps.exchanges.accounts.equity import account_books

    world.rest("1.5", "101.3", tif=TimeInForce.IOC)
    world.rest("2.2", "99.7", tif=TimeInForce.IOC, side=Side.SELL)
    world.rest("0.3", "100.1", tif=TimeInForce.IOC, instrument=world.eth, strategy="maker")
    world.venue.paid.append(payment(world, "0.123456", "-0.7"))
    world.venue.mark = D("103.37")
    reconcile(world)
    snapshot = world.venue.account_snapshot()
    books = account_books(world.account.pk)
    assert books.agrees_on_positions(snapshot)
    assert books.equity(snapshot) == snapshot.equity.value
    assert_books()


def test_reducing_more_than_there_is_ends_rejected(world: World) -> None:
    order = world.rest(side=Side.SELL, purpose=Purpose.REDUCING)
    assert order.status == "rejected"
    assert isinstance(world.venue, StubVenue)


def test_an_order_without_a_size_is_told_of_and_left_alone(world: World) -> None:
    world.venue.rest("BTC", Side.SELL, D(120), D(0))
    world.venue.rest("ETH", Side.SELL, D(120), D(2))
    order = world.rest()
    world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    result = reconcile(world)
    assert (result.complete, result.adopted, result.fills) == (True, 1, 1)
    reconcile(world)
    assert Order.objects.get(strategy=UNASSIGNED).instrument.symbol == "ETH"
    (alarm,) = AccountEvent.objects.filter(kind="unsized_order")
    assert "BTC" in alarm.message
    assert_books()


@pytest.mark.parametrize("call", ["open_orders", "fills", "funding", "account_snapshot", "order_status"])
def test_a_mistake_of_ours_in_one_step_costs_that_step_only(world: World, call: str) -> None:
    order = world.rest()
    lost_answer(world)
    world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    world.venue.refuse(call, KeyError("unheard of"))
    result = reconcile(world)
    assert len(result.errors) == 1
    assert "KeyError" in result.errors[0]
    assert reconcile(world).complete
    assert Fill.objects.count() == 1
    assert_books()


def test_a_database_that_is_away_is_not_taken_for_a_mistake(world: World) -> None:
    world.venue.refuse("open_orders", OperationalError("server closed the connection"))
    with pytest.raises(OperationalError):
        reconcile(world)


def test_an_account_that_cannot_be_reconciled_keeps_no_other_from_it(world: World) -> None:
    second = Account.objects.create(
        code="paper-2", venue=world.account.venue, portfolio=world.account.portfolio, address="0x" + "3" * 40,
        currency="USDC",
    )  # fmt: skip
    Signer.objects.create(account=second, purpose="orders", address="0x" + "4" * 40, secret_name="KEY")
    quick, first = Reconciliation.quick, [KeyError("first")]

    def stumbling(self: Reconciliation) -> Reconciled:
        if first:
            raise first.pop()
        return quick(self)

    with patch.object(Reconciliation, "quick", stumbling):
        results = reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert second.pk in results
    assert world.account.pk not in results


def test_an_order_whose_row_cannot_be_read_is_known_to_live_and_no_stranger(world: World) -> None:
    order = world.rest()
    stranger = world.venue.rest("ETH", Side.SELL, D(120), D(2))
    world.venue.odd = {order.venue_order_id, stranger.venue_order_id}
    world.clock.advance(timedelta(seconds=61))
    world.venue.calls.clear()
    assert reconcile(world).adopted == 0
    assert "order_status" not in world.venue.calls
    order.refresh_from_db()
    assert order.status == "open"


def test_tells_of_rows_that_could_not_be_read(world: World) -> None:
    for words in ("a fill without a price", "a fill without a price", "an order without a side"):
        world.venue.unreadable = [words]
        reconcile(world)
        reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert [event.message for event in AccountEvent.objects.filter(kind="unreadable_row").order_by("id")] == [
        "1 left out; the first: a fill without a price",
        "1 left out; the first: an order without a side",
    ]


def test_tells_of_rows_of_the_stream_that_could_not_be_read(world: World) -> None:
    event = Unreadable(("an order update with the status dancing",), world.clock.now())
    apply_user_events(world.account.pk, [event, event], world.sessions, world.clock)
    assert "dancing" in AccountEvent.objects.get(kind="unreadable_row").message


def test_a_refused_stream_is_an_alarm_of_the_account_once_an_hour(world: World) -> None:
    for _ in range(3):
        refused = Refused("Cannot track more than 10 total users.", world.clock.now())
        apply_user_events(world.account.pk, [refused], world.sessions, world.clock)
    assert "10 total users" in AccountEvent.objects.get(kind="stream_refused").message


def test_a_venue_whose_limits_are_spent_is_asked_no_more_in_this_pass(world: World) -> None:
    """What is answered is asked again in the next pass anyway, and keeps that from ever having room for all of it."""
    world.rest()
    world.venue.refuse("fills", RateLimited("30 of weight do not fit", 20.0))
    world.venue.calls.clear()
    result = reconcile(world)
    assert world.venue.calls == ["open_orders", "fills"]
    assert not result.complete
    assert "the venue's limits are spent" in result.errors[-1]
    assert reconcile(world).complete


def test_a_venue_that_hangs_is_not_asked_everything_there_is_to_ask(world: World) -> None:
    """Each question may take as long as a request may, and other accounts wait behind it."""
    world.rest()
    asked = ("open_orders", "fills", "funding", "account_snapshot")
    for call in asked:
        world.venue.refuse(call, Connectivity("read timed out"))
    world.venue.calls.clear()
    result = reconcile(world)
    assert world.venue.calls == list(asked[:3])
    assert not result.complete
    assert "not asked, the venue is silent" in result.errors[-1]


def test_a_second_pass_does_not_wait_behind_the_first(world: World) -> None:
    with patch("apps.exchanges.orders.reconcile.only_one") as only:
        only.return_value.__enter__.return_value = False
        assert reconcile_venue("hyperliquid", world.sessions, world.clock) == {}
    assert world.venue.calls == []
    assert set(reconcile_venue("hyperliquid", world.sessions, world.clock)) == {world.account.pk}


def test_nothing_is_opened_until_what_happened_while_the_stream_was_down_is_known(world: World, monkeypatch) -> None:
    """Venues repeat nothing by themselves, and a pass that was cut short has not asked for everything."""
    now = world.clock.now()
    woken: list[list[int]] = []
    monkeypatch.setattr("apps.exchanges.orders.reconcile.wake_accounts", woken.append)
    apply_user_events(world.account.pk, [Connected(None, now)], world.sessions, world.clock)
    resting = world.rest()
    world.rest(tif=TimeInForce.IOC)
    apply_user_events(world.account.pk, [Disconnected("closed", now)], world.sessions, world.clock)
    waiting, exit_ = world.place(), world.place(side=Side.SELL, price="200", purpose=Purpose.REDUCING)
    world.cancel(resting)
    world.venue.refuse("fills", RateLimited("weight", 5.0))
    apply_user_events(world.account.pk, [Connected(now, now)], world.sessions, world.clock)
    world.send()
    assert world.venue.of(resting.client_order_id).status is S.CANCELLED
    statuses = [world.order(order.client_order_id).status for order in (waiting, exit_)]
    assert statuses == ["approved", "open"]
    # The schedule goes on with it, in full, without waiting for its minute, and wakes the sender.
    woken.clear()
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert woken == [[world.account.pk]]
    world.send()
    assert world.order(waiting.client_order_id).status == "open"
    world.venue.calls.clear()
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    assert "fills" not in world.venue.calls
