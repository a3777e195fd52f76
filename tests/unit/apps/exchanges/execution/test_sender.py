from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.execution.hearing import hearing
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.execution.sweeper import sweep
from apps.exchanges.models import Account, Fill, Order, OrderCommand, Signer
from apps.exchanges.orders.reconcile import reconcile_account, reconcile_venue
from apps.exchanges.orders.services import orders_claim, reports_apply
from apps.exchanges.orders.user_events import apply_user_events
from apps.exchanges.ports import FillBatch, OrderBatch
from apps.exchanges.selectors import holdings, working_orders
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.orders import OrderStatus, Purpose, TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import ABLE, World, assert_books, make_world, report

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> World:
    return make_world()


def statuses() -> list[str]:
    return list(Order.objects.order_by("pk").values_list("status", flat=True))


def halt(world: World, mode: str, kind: str = "account", key: str = "paper-1") -> None:
    trading_state_set(scope_kind=kind, scope_key=key, mode=mode, reason="test", actor="test", now=world.clock.now())


def test_sends_a_recorded_order_and_keeps_the_venues_id(world: World) -> None:
    order = world.rest()
    assert (order.status, order.venue_order_id) == ("open", world.venue.live()[0].venue_order_id)
    assert order.sent_at is not None
    assert order.acknowledged_at is not None
    assert list(order.events.values_list("status_to", flat=True)) == ["approved", "sending", "open"]
    assert_books()


def test_sends_many_orders_as_one_request(world: World) -> None:
    world.record(*[world.entry() for _ in range(50)])
    assert world.send() == 1
    assert world.venue.calls == ["place"]
    assert statuses() == ["open"] * 50


def test_sends_more_than_a_batch_in_several_requests(world: World) -> None:
    world.record(*[world.entry() for _ in range(51)])
    assert world.send() == 2
    assert len(world.venue.live()) == 51


def test_sends_no_more_at_once_than_the_venue_takes(world: World) -> None:
    world.venue.max_batch = 2
    world.record(*[world.entry() for _ in range(5)])
    assert world.send() == 1
    assert world.venue.calls == ["place"] * 3
    assert statuses() == ["open"] * 5
    for order in Order.objects.all():
        world.cancel(order)
    world.venue.calls.clear()
    world.send()
    assert world.venue.calls.count("cancel") == 3
    assert statuses() == ["cancelled"] * 5
    assert_books()


def test_an_unheard_answer_leaves_only_its_own_request_unknown(world: World) -> None:
    world.venue.max_batch = 1
    world.record(*[world.entry() for _ in range(3)])
    world.venue.drop_answer("place", Connectivity("cut"))
    world.send()
    assert statuses() == ["unknown", "open", "open"]
    assert len(world.venue.live()) == 3


def test_gives_the_lease_back_when_nothing_is_left(world: World) -> None:
    world.rest()
    account = Account.objects.get()
    assert (account.sender, account.sender_until) == ("", None)


def test_returns_at_once_while_another_holds_the_lease(world: World) -> None:
    world.place()
    assert orders_claim(account_id=world.account.pk, worker="other", lease_seconds=10, now=world.clock.now())
    assert world.send("me") == 0
    assert world.venue.calls == []


def test_claims_again_what_a_dead_sender_claimed_but_never_began(world: World) -> None:
    world.place()
    orders_claim(account_id=world.account.pk, worker="dead", lease_seconds=10, now=world.clock.now())
    world.clock.advance(timedelta(seconds=11))
    world.send("me")
    assert statuses() == ["open"]
    assert_books()


def test_a_filled_answer_waits_for_its_fills_before_the_order_ends(world: World) -> None:
    order = world.rest(tif=TimeInForce.IOC)
    assert (order.status, order.venue_status, order.venue_filled) == ("open", "filled", 1)
    (trade,) = world.venue.trades
    reports_apply(
        account_id=world.account.pk, reports=[report(None, venue_id="x", fills=[trade])], now=world.clock.now()
    )
    order.refresh_from_db()
    assert (order.status, order.filled_quantity, order.reserved) == ("filled", 1, 0)
    assert_books()


@pytest.mark.parametrize("kind", ["everything", "portfolio", "venue", "account", "strategy", "instrument"])
def test_a_halted_scope_lets_nothing_out(world: World, kind: str) -> None:
    key = {
        "everything": "*", "portfolio": "paper", "venue": "hyperliquid", "account": "paper-1", "strategy": "turtle",
        "instrument": "hyperliquid:BTC",
    }[kind]  # fmt: skip
    halt(world, "halted", kind, key)
    order = world.rest()
    assert order.status == "cancelled"
    assert "halted" in order.reason
    assert world.venue.calls == []
    assert order.reserved == 0
    assert_books()


def test_an_account_without_a_trading_state_is_halted(world: World) -> None:
    from apps.exchanges.models import TradingState

    TradingState.objects.filter(scope_kind="account").delete()
    assert world.rest().status == "cancelled"
    assert world.venue.calls == []


def test_a_halt_file_lets_nothing_out(world: World, settings, tmp_path) -> None:
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    settings.MOONDEV_HALT_FILE.write_text("")
    assert world.rest().status == "cancelled"
    assert world.venue.calls == []


def test_reducing_mode_passes_exits_only(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(1), D(100))
    halt(world, "reducing")
    opening = world.place()
    exit_ = world.place(side=Side.SELL, purpose=Purpose.REDUCING)
    world.send()
    opening.refresh_from_db()
    exit_.refresh_from_db()
    assert (opening.status, exit_.status) == ("cancelled", "open")


def test_a_halt_between_claim_and_signing_still_stops_the_order(world: World, monkeypatch) -> None:
    """The gate is read after the order has become SENDING, so no halt can slip in between."""
    from apps.exchanges.execution import delivery

    begin = delivery.orders_begin

    def begin_then_halt(*args, **kwargs):
        begun = begin(*args, **kwargs)
        halt(world, "halted")
        return begun

    monkeypatch.setattr(delivery, "orders_begin", begin_then_halt)
    assert world.rest().status == "cancelled"
    assert world.venue.calls == []


def test_an_order_cancelled_after_the_claim_is_not_sent(world: World, monkeypatch) -> None:
    from apps.exchanges.execution import delivery

    order = world.place()
    begin = delivery.orders_begin

    def cancel_then_begin(*args, **kwargs):
        world.cancel(order)
        return begin(*args, **kwargs)

    monkeypatch.setattr(delivery, "orders_begin", cancel_then_begin)
    world.send()
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert world.venue.calls == []
    assert_books()


def test_a_lease_that_lapses_before_sending_sends_nothing(world: World, monkeypatch) -> None:
    from apps.exchanges.execution import delivery

    order = world.place(valid_seconds=600)
    modes = delivery.gate_modes

    def stand_still(*args):
        world.clock.advance(timedelta(seconds=60))
        return modes(*args)

    monkeypatch.setattr(delivery, "gate_modes", stand_still)
    world.send()
    order.refresh_from_db()
    assert order.status == "sending"
    assert world.venue.calls == []


def test_an_order_past_its_time_expires_unsent_and_frees_its_exposure(world: World) -> None:
    order = world.place(valid_seconds=5)
    world.clock.advance(timedelta(seconds=5))
    world.send()
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("expired", 0)
    assert world.venue.calls == []
    assert_books()


def test_no_answer_leaves_the_order_unknown_with_its_exposure(world: World) -> None:
    world.venue.drop_answer("place", Connectivity("reset"))
    order = world.rest()
    assert (order.status, order.reserved) == ("unknown", 100)
    assert len(world.venue.live()) == 1
    assert_books()


def test_an_error_nobody_expected_leaves_the_order_unknown(world: World) -> None:
    world.venue.drop_answer("place", RuntimeError("bug"))
    assert world.rest().status == "unknown"


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (NotSent("refused"), "not sent"),
        (VenueRejected("err", "User or API Wallet does not exist."), "does not exist"),
        (InvalidValue("price", 1, "2"), "refused before sending"),
    ],
)
def test_a_definite_no_ends_the_order_and_frees_its_exposure(world: World, error: Exception, word: str) -> None:
    world.venue.refuse("place", error)
    order = world.rest()
    assert order.status == "rejected"
    assert word in order.reason
    assert order.reserved == 0
    assert_books()


def test_one_unfit_order_does_not_hold_up_the_others(world: World) -> None:
    world.record(*[world.entry() for _ in range(3)])
    world.venue.refuse("place", InvalidValue("price", 1, "2"))
    world.venue.refuse("place", InvalidValue("price", 1, "2"))
    world.send()
    assert sorted(statuses()) == ["open", "open", "rejected"]
    assert_books()


def busy(world: World, call: str = "place", seconds: float = 2.0, times: int = 1) -> None:
    for _ in range(times):
        world.venue.refuse(call, RateLimited("429", seconds))


def test_an_order_waits_for_a_busy_venue_and_is_then_sent_once(world: World) -> None:
    order = world.place(valid_seconds=60)
    busy(world)
    assert world.send() == 1
    order.refresh_from_db()
    assert (order.status, order.claimed_by, order.sent_at, order.venue_expires_at) == ("approved", "", None, None)
    assert order.reserved == 100
    assert_books()
    # Nobody takes it, nor is anybody woken for it, before the venue said.
    world.clock.advance(timedelta(seconds=1.9))
    assert world.send() == 0
    assert sweep("hyperliquid", world.clock.now()).woken == ()
    world.clock.advance(timedelta(seconds=0.2))
    assert sweep("hyperliquid", world.clock.now()).woken == (world.account.pk,)
    world.send()
    order.refresh_from_db()
    assert order.status == "open"
    assert world.venue.calls == ["place", "place"]
    assert len(world.venue.live()) == 1
    steps = list(order.events.values_list("status_to", flat=True))
    assert steps == ["approved", "sending", "approved", "sending", "open"]
    assert_books()


def test_the_sender_is_free_for_a_cancel_while_an_order_waits(world: World) -> None:
    resting = world.rest()
    waiting = world.place(valid_seconds=60)
    busy(world, seconds=10.0)
    world.send()
    world.cancel(resting)
    assert world.send() == 1
    resting.refresh_from_db()
    waiting.refresh_from_db()
    assert (resting.status, waiting.status) == ("cancelled", "approved")
    assert world.venue.live() == []


def test_exits_do_not_wait_behind_openings_that_there_is_no_room_for(world: World) -> None:
    """A batch of both is charged to the lane of the openings; the exits have a lane of their own."""
    world.venue.trade("BTC", Side.BUY, D(1), D(100))
    opening = world.entry(valid_seconds=60)
    exit_ = world.entry(side=Side.SELL, price="200", purpose=Purpose.REDUCING, valid_seconds=60)
    world.record(opening, exit_)
    busy(world)
    world.send()
    assert sorted(statuses()) == ["approved", "open"]
    assert [order.side for order in world.venue.live()] == [Side.SELL]
    assert_books()


def test_a_cancel_that_nobody_looked_at_is_tried_again(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    busy(world, "cancel")
    world.send()
    order.refresh_from_db()
    command = OrderCommand.objects.get()
    assert (order.status, command.status, command.reason) == ("open", "approved", "429")
    assert world.send() == 0
    world.clock.advance(timedelta(seconds=3))
    assert sweep("hyperliquid", world.clock.now()).woken == (world.account.pk,)
    world.send()
    order.refresh_from_db()
    command.refresh_from_db()
    assert (order.status, command.status) == ("cancelled", "done")


def test_no_order_is_given_up_by_others_while_it_waits_for_a_busy_venue(world: World) -> None:
    """Reconciliation must not take waiting orders for lost ones, or they would live after their record ended."""
    order = world.place(valid_seconds=120)
    busy(world, seconds=10.0)
    world.send()
    for _ in range(9):
        world.clock.advance(timedelta(seconds=1))
        reconcile_account(world.account.pk, world.sessions, world.clock)
        assert sweep("hyperliquid", world.clock.now()).lapsed is False
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("approved", 100)
    world.clock.advance(timedelta(seconds=2))
    world.send()
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("open", 100)
    assert len(world.venue.live()) == 1
    assert_books()


def test_an_order_that_others_ended_while_the_venue_was_being_asked_is_not_put_back(world: World) -> None:
    kept, lost = world.place(valid_seconds=120), world.place(valid_seconds=120)

    def end_one(call: str) -> None:
        if call == "place":
            world.venue.watch = None
            word = report(lost, OrderStatus.EXPIRED, reason="ended by others")
            reports_apply(account_id=world.account.pk, reports=[word], now=world.clock.now())

    world.venue.watch = end_one
    busy(world)
    world.send()
    assert statuses() == ["approved", "expired"]
    world.clock.advance(timedelta(seconds=3))
    world.send()
    assert statuses() == ["open", "expired"]
    assert [o.client_order_id for o in world.venue.live()] == [kept.client_order_id]
    assert_books()


def test_an_order_whose_time_passes_while_the_venue_is_busy_expires(world: World) -> None:
    order = world.place(valid_seconds=1)
    busy(world)
    world.send()
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("expired", 0)
    assert world.venue.calls == ["place"]


def test_an_order_waits_no_longer_than_it_is_valid_however_busy_the_venue(world: World) -> None:
    order = world.place(valid_seconds=30)
    busy(world, seconds=3_600.0, times=10)
    for _ in range(40):
        world.send()
        world.clock.advance(timedelta(seconds=1))
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("expired", 0)
    # Tried again every ten seconds, not every time somebody woke the sender.
    assert world.venue.calls == ["place"] * 3
    assert_books()


def test_a_halt_ends_an_order_that_waits_for_a_busy_venue(world: World) -> None:
    order = world.place(valid_seconds=60)
    busy(world)
    world.send()
    halt(world, "halted")
    world.clock.advance(timedelta(seconds=3))
    world.send()
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert world.venue.live() == []
    assert_books()


def test_cancels_go_first_then_exits_then_amends_then_openings(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(5), D(100))
    first, second = world.rest(), world.rest()
    world.venue.calls.clear()
    world.record(world.entry(), world.entry(side=Side.SELL, purpose=Purpose.REDUCING))
    world.cancel(first)
    world.amend(second, "0.5", "99")
    world.send()
    assert world.venue.calls == ["cancel", "place", "amend", "place", "fills"]
    placed = [o for o in world.venue.orders.values() if o.client_order_id][2:]
    assert [o.side for o in placed if o.quantity == 1] == [Side.SELL, Side.BUY]


def test_a_cancel_takes_the_order_out_of_the_market(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    world.send()
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("cancelled", 0)
    assert OrderCommand.objects.get().status == "done"
    assert world.venue.live() == []
    assert_books()


def test_a_cancel_that_came_too_late_asks_what_happened(world: World) -> None:
    order = world.rest()
    world.venue.fill(world.venue.of(order.client_order_id), D(1))
    world.cancel(order)
    world.send()
    order.refresh_from_db()
    assert "order_status" in world.venue.calls
    assert (order.venue_status, order.venue_filled) == ("filled", 1)
    assert OrderCommand.objects.get().status == "done"


def test_a_cancel_without_an_answer_is_unknown_and_the_order_counts_as_live(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    world.venue.drop_answer("cancel", Connectivity("reset"))
    world.send()
    order.refresh_from_db()
    assert order.status == "cancelling"
    assert OrderCommand.objects.get().status == "unknown"


def test_a_cancel_that_never_left_lets_the_order_rest(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    world.venue.refuse("cancel", NotSent("refused"))
    world.send()
    order.refresh_from_db()
    assert order.status == "open"
    assert OrderCommand.objects.get().status == "failed"


def partly_filled_unheard(world: World) -> Order:
    order = world.rest()
    world.venue.fill(world.venue.of(order.client_order_id), D("0.6"))
    world.cancel(order)
    return order


def test_a_cancelled_order_ends_together_with_fills_that_nobody_told_us_of(world: World) -> None:
    order = partly_filled_unheard(world)
    world.venue.calls.clear()
    world.send()
    order.refresh_from_db()
    assert (order.status, order.filled_quantity, order.reserved) == ("cancelled", D("0.6"), 0)
    assert holdings(["turtle"])["turtle"]["hyperliquid:BTC"].quantity == D("0.6")
    assert world.venue.calls == ["cancel", "fills"]
    assert OrderCommand.objects.get().status == "done"
    assert_books()


def test_one_question_is_asked_for_a_whole_batch_of_cancels(world: World) -> None:
    world.record(*[world.entry() for _ in range(5)])
    world.send()
    for order in Order.objects.all():
        world.cancel(order)
    world.venue.calls.clear()
    world.send()
    assert world.venue.calls == ["cancel", "fills"]
    assert set(statuses()) == {"cancelled"}


def test_a_cancelled_order_counts_as_live_while_its_fills_cannot_be_asked_for(world: World) -> None:
    order = partly_filled_unheard(world)
    world.venue.refuse("fills", Connectivity("reset"))
    world.send()
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("cancelling", 100)
    assert [w.client_order_id for w in working_orders(["turtle"])["turtle"]] == [order.client_order_id]
    reconcile_account(world.account.pk, world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("cancelled", D("0.6"))
    assert OrderCommand.objects.get().status == "done"
    assert_books()


def test_a_stream_that_speaks_ends_the_cancelled_order_and_no_question_is_asked(world: World) -> None:
    order = partly_filled_unheard(world)
    hearing().heard(world.account.pk)
    world.venue.calls.clear()
    world.send()
    order.refresh_from_db()
    assert (order.status, order.reserved) == ("cancelling", 100)
    assert world.venue.calls == ["cancel"]
    words = [FillBatch(tuple(world.venue.trades), snapshot=False), OrderBatch((report(order, OrderStatus.CANCELLED),))]
    apply_user_events(world.account.pk, words, world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity, order.reserved) == ("cancelled", D("0.6"), 0)
    assert OrderCommand.objects.get().status == "done"
    assert_books()


def test_a_cancelled_order_is_asked_about_when_a_stream_that_spoke_says_no_more(world: World) -> None:
    order = partly_filled_unheard(world)
    hearing().heard(world.account.pk)
    world.send()
    world.clock.advance(timedelta(seconds=2))
    assert sweep("hyperliquid", world.clock.now()).lapsed
    reconcile_account(world.account.pk, world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("cancelled", D("0.6"))
    assert_books()


@pytest.fixture
def acknowledging(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the world at a venue that acknowledges cancels and carries them out when the test says so."""
    world.able = replace(ABLE, cancel_is_final=False)
    monkeypatch.setattr(
        world.venue,
        "_cancel",
        lambda order, client_id, venue_id=None: report(client_id, OrderStatus.CANCELLED, venue_id=venue_id),
    )
    return world


def test_an_order_whose_cancel_was_only_acknowledged_lives_until_it_has_ended_with_its_last_fill(
    acknowledging: World,
) -> None:
    world = acknowledging
    order = world.rest()
    world.cancel(order)
    world.venue.calls.clear()
    world.send()
    order.refresh_from_db()
    assert (order.status, order.reserved, world.venue.calls) == ("cancelling", 100, ["cancel"])
    assert [w.client_order_id for w in working_orders(["turtle"])["turtle"]] == [order.client_order_id]
    placed = world.venue.of(order.client_order_id)
    world.venue.fill(placed, D("0.6"))
    world.clock.advance(timedelta(seconds=1))
    assert sweep("hyperliquid", world.clock.now()).lapsed
    # Still in the book: neither is it cancelled, nor has the cancel come to nothing.
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("cancelling", "unknown")
    placed.status = OrderStatus.CANCELLED
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity, order.reserved) == ("cancelled", D("0.6"), 0)
    assert OrderCommand.objects.get().status == "done"
    assert_books()


def test_a_cancel_that_was_acknowledged_and_never_carried_out_lets_the_order_rest(acknowledging: World) -> None:
    world = acknowledging
    order = world.rest()
    world.cancel(order)
    world.send()
    world.clock.advance(timedelta(seconds=4))
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("open", "failed")


def test_a_cancelled_order_that_the_history_does_not_show_yet_stays_in_doubt(
    acknowledging: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = acknowledging
    order = world.rest()
    world.cancel(order)
    world.send()
    world.venue.of(order.client_order_id).status = OrderStatus.CANCELLED
    world.clock.advance(timedelta(seconds=4))
    with monkeypatch.context() as lagging:
        lagging.setattr(world.venue, "order_status", lambda *_: None)
        reconcile_venue("hyperliquid", world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("cancelling", "unknown")
    reconcile_venue("hyperliquid", world.sessions, world.clock)
    order.refresh_from_db()
    assert (order.status, OrderCommand.objects.get().status) == ("cancelled", "done")


def test_a_wish_repeated_is_one_cancel(world: World) -> None:
    order = world.rest()
    world.cancel(order)
    world.cancel(order)
    assert OrderCommand.objects.count() == 1


def test_an_amend_changes_size_price_and_venue_id(world: World) -> None:
    order = world.rest("1", "100")
    old = order.venue_order_id
    world.amend(order, "0.4", "99")
    world.send()
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price) == ("open", D("0.4"), 99)
    assert order.venue_order_id != old
    assert order.aliases.get().venue_order_id == old
    assert order.reserved == D("39.6")
    assert_books()


def test_an_amend_that_fills_have_overtaken_is_dropped(world: World) -> None:
    order = world.rest("1", "100")
    world.amend(order, "1", "99")
    trade = world.venue.fill(world.venue.of(order.client_order_id), D("0.3"))
    reports_apply(account_id=world.account.pk, reports=[report(order, fills=[trade])], now=world.clock.now())
    world.send()
    assert "amend" not in world.venue.calls
    assert OrderCommand.objects.get().status == "dropped"
    order.refresh_from_db()
    assert order.status == "partially_filled"


def test_a_late_fill_of_the_replaced_order_enlarges_the_record(world: World) -> None:
    """What filled under the old id is not part of the size the new one was given."""
    order = world.rest("1", "100")
    trade = world.venue.fill(world.venue.of(order.client_order_id), D("0.3"))
    world.amend(order, "0.5", "99")
    world.send()
    apply = {"account_id": world.account.pk, "now": world.clock.now()}
    reports_apply(reports=[report(None, venue_id=trade.venue_order_id, fills=[trade])], **apply)
    order.refresh_from_db()
    assert (order.filled_quantity, order.quantity, order.status) == (D("0.3"), D("0.8"), "partially_filled")
    rest = world.venue.fill(world.venue.of(order.client_order_id), D("0.5"))
    reports_apply(reports=[report(order, fills=[rest])], **apply)
    order.refresh_from_db()
    assert (order.filled_quantity, order.status) == (D("0.8"), "filled")
    assert_books()


def test_the_end_of_the_replaced_order_does_not_end_the_order(world: World) -> None:
    order = world.rest("1", "100")
    old = order.venue_order_id
    world.amend(order, "0.4", "99")
    ended = report(order, "cancelled", venue_id=old)

    def stream_is_faster(call: str) -> None:
        if call == "amend":
            reports_apply(account_id=world.account.pk, reports=[ended], now=world.clock.now())

    world.venue.watch = stream_is_faster
    world.send()
    reports_apply(account_id=world.account.pk, reports=[ended], now=world.clock.now())
    order.refresh_from_db()
    assert order.status == "open"
    assert world.venue.live()[0].venue_order_id == order.venue_order_id


def test_an_amend_of_an_order_that_filled_meanwhile_asks_and_waits_for_the_fill(world: World) -> None:
    order = world.rest("1", "100")
    trade = world.venue.fill(world.venue.of(order.client_order_id), D(1))
    world.amend(order, "0.5", "99")
    world.send()
    order.refresh_from_db()
    assert (order.status, order.venue_status) == ("open", "filled")
    assert OrderCommand.objects.get().status == "failed"
    reports_apply(account_id=world.account.pk, reports=[report(order, fills=[trade])], now=world.clock.now())
    order.refresh_from_db()
    assert order.status == "filled"
    assert_books()


def test_nonces_rise_even_when_the_clock_stands_still(world: World) -> None:
    for _ in range(3):
        world.rest()
    assert world.venue.nonces == sorted(set(world.venue.nonces))
    assert Signer.objects.get(purpose="orders").last_nonce == world.venue.nonces[-1]


def test_a_disabled_account_sends_nothing(world: World) -> None:
    Account.objects.update(enabled=False)
    world.place()
    assert world.send() == 0
    assert world.venue.calls == []


def test_a_disabled_account_still_has_its_cancels_sent_and_its_fills_booked(world: World) -> None:
    order, held = world.rest(), world.rest()
    Account.objects.update(enabled=False)
    world.amend(held, "0.5", "99")
    world.cancel(order)
    world.venue.calls.clear()
    world.send()
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert world.venue.calls == ["cancel", "fills"]
    world.venue.fill(world.venue.of(held.client_order_id), D(1))
    world.clock.advance(timedelta(seconds=61))
    assert list(reconcile_venue("hyperliquid", world.sessions, world.clock)) == [world.account.pk]
    held.refresh_from_db()
    assert held.status == "filled"
    assert_books()


def test_no_order_is_booked_twice_when_a_fill_comes_twice(world: World) -> None:
    order = world.rest("1")
    trade = world.venue.fill(world.venue.of(order.client_order_id), D("0.4"))
    for _ in range(2):
        reports_apply(account_id=world.account.pk, reports=[report(order, fills=[trade, trade])], now=world.clock.now())
    assert Fill.objects.count() == 1
    assert_books()
