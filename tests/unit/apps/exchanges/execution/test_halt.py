from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError

from apps.exchanges.execution import halt
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.models import Account, AccountEvent, Fill, Order, Position, Signer, Veto
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.errors import Connectivity, RateLimited
from moondev.domain.orders import OrderStatus, Purpose, TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import NOW, World, assert_books, make_world

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def world() -> World:
    return make_world()


def veto(
    world: World, kind: str = "everything", key: str = "*", *, mode: str = "halted", flatten: bool = False
) -> Veto:
    state = trading_state_set(
        scope_kind=kind, scope_key=key, mode=mode, reason="test", actor="test", now=world.clock.now()
    )
    return Veto.objects.create(
        venue_id="hyperliquid", scope_kind=kind, scope_key=key, epoch=state.epoch, flatten=flatten, reason="test",
        actor="test", engaged_at=world.clock.now(),
    )  # fmt: skip


def carry_out(world: World, sleep=None) -> list[Veto]:
    """Carry out as a worker does, in a world whose time passes only while somebody sleeps."""

    def pass_time(seconds: float) -> None:
        world.clock.advance(timedelta(seconds=seconds))
        if sleep:
            sleep(seconds)

    def timer() -> float:
        return (world.clock.now() - NOW).total_seconds()

    return halt.carry_out("hyperliquid", sessions=world.sessions, clock=world.clock, sleep=pass_time, timer=timer)


def test_ends_what_has_not_left_and_cancels_what_lives(world: World) -> None:
    resting = world.rest()
    waiting = world.place()
    row = veto(world)
    assert carry_out(world) == [row]
    resting.refresh_from_db()
    waiting.refresh_from_db()
    row.refresh_from_db()
    assert (resting.status, waiting.status) == ("cancelled", "cancelled")
    assert "test" in waiting.reason
    assert world.venue.live() == []
    assert (row.stage, bool(row.first_cancel_at), bool(row.done_at), row.worker) == ("done", True, True, "")
    assert_books()


@pytest.mark.parametrize("answered", [True, False])
def test_an_order_it_cancels_does_not_end_before_its_fills_are_known(world: World, answered: bool) -> None:
    order = world.rest()
    world.venue.fill(world.venue.of(order.client_order_id), D("0.6"))
    if not answered:
        for _ in range(1000):
            world.venue.refuse("fills", Connectivity("reset"))
    veto(world)
    assert carry_out(world)
    assert world.venue.live() == []
    order.refresh_from_db()
    expected = ("cancelled", D("0.6"), 0) if answered else ("open", 0, 100)
    assert (order.status, order.filled_quantity, order.reserved) == expected
    assert_books()


def test_signs_with_the_keys_of_vetoes_only(world: World) -> None:
    world.rest()
    before = Signer.objects.get(purpose="orders").last_nonce
    veto(world)
    carry_out(world)
    assert Signer.objects.get(purpose="orders").last_nonce == before
    assert Signer.objects.get(purpose="vetoes").last_nonce > 0


def test_cancels_orders_nobody_here_placed(world: World) -> None:
    world.venue.rest("BTC", Side.SELL, D(120), D(2))
    veto(world)
    assert carry_out(world)
    assert world.venue.live() == []


def test_asks_twice_before_it_is_done(world: World) -> None:
    veto(world)
    carry_out(world)
    assert world.venue.calls.count("open_orders") == 2


def test_an_order_that_appears_between_two_looks_is_cancelled_too(world: World) -> None:
    veto(world)
    looks = []

    def late(call: str) -> None:
        if call == "open_orders":
            looks.append(call)
            if len(looks) == 2:
                world.venue.rest("BTC", Side.BUY, D(90), D(1))

    world.venue.watch = late
    assert carry_out(world)
    assert world.venue.live() == []
    assert len(looks) == 4


def test_waits_for_an_order_that_may_still_arrive(world: World) -> None:
    """Unknown orders may be on the wire until the venue's own window has closed."""
    world.venue.refuse("place", Connectivity("slow"))
    order = world.rest()
    row = veto(world)
    started = world.clock.now()
    assert carry_out(world) == [row]
    assert order.sent_at is not None
    row.refresh_from_db()
    assert row.done_at - started >= timedelta(seconds=7)


@pytest.mark.parametrize(
    ("kind", "key", "left"),
    [
        ("account", "paper-1", set()),
        ("portfolio", "paper", set()),
        ("venue", "hyperliquid", set()),
        ("strategy", "turtle", {"maker"}),
        ("instrument", "hyperliquid:BTC", {"maker"}),
        ("account", "another", {"turtle", "maker"}),
    ],
)
def test_touches_its_scope_and_nothing_else(world: World, kind: str, key: str, left: set[str]) -> None:
    world.rest()
    world.rest(strategy="maker", instrument=world.eth)
    waiting = world.place(strategy="maker", instrument=world.eth)
    veto(world, kind, key)
    carry_out(world)
    assert set(Order.objects.filter(status="open").values_list("strategy", flat=True)) == left
    waiting.refresh_from_db()
    assert waiting.status == ("approved" if "maker" in left else "cancelled")
    assert_books()


def test_a_reducing_scope_keeps_the_orders_that_reduce(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(1), D(100))
    stop = world.rest(side=Side.SELL, purpose=Purpose.REDUCING)
    opening = world.rest()
    veto(world, mode="reducing")
    assert carry_out(world)
    stop.refresh_from_db()
    opening.refresh_from_db()
    assert (stop.status, opening.status) == ("open", "cancelled")


def test_flattens_every_owner_and_books_it_to_them(world: World) -> None:
    world.rest("1.5", tif=TimeInForce.IOC)
    world.rest("0.4", tif=TimeInForce.IOC, strategy="maker", side=Side.SELL, instrument=world.eth)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    row = veto(world, flatten=True)
    assert carry_out(world) == [row]
    assert world.venue.position("BTC") == 0
    assert world.venue.position("ETH") == 0
    assert list(Position.objects.values_list("quantity", flat=True)) == [0, 0]
    exits = Order.objects.filter(tick_id=f"veto-{row.pk}")
    assert {(o.strategy, o.status, o.purpose) for o in exits} == {
        ("turtle", "filled", "reducing"),
        ("maker", "filled", "reducing"),
    }
    assert_books()


def test_flattens_one_strategy_and_leaves_the_others_position(world: World) -> None:
    world.rest("1.5", tif=TimeInForce.IOC)
    world.rest("0.5", tif=TimeInForce.IOC, strategy="maker")
    reconcile_account(world.account.pk, world.sessions, world.clock)
    veto(world, "strategy", "turtle", flatten=True)
    assert carry_out(world)
    assert {p.strategy: p.quantity for p in Position.objects.all()} == {"turtle": 0, "maker": D("0.5")}
    assert world.venue.position("BTC") == D("0.5")
    assert_books()


def test_halves_what_each_owner_holds_in_whole_lots_and_leaves_what_nobody_owns(world: World) -> None:
    world.rest("1.501", tif=TimeInForce.IOC)
    world.rest("0.5", tif=TimeInForce.IOC, strategy="maker")
    reconcile_account(world.account.pk, world.sessions, world.clock)
    row = veto(world, mode="reducing", flatten=True)
    Veto.objects.update(keep_share=D("0.5"))
    assert carry_out(world)
    row.refresh_from_db()
    assert {p.strategy: p.quantity for p in Position.objects.all()} == {"turtle": D("0.751"), "maker": D("0.25")}
    assert sorted(row.kept.values()) == ["0.25", "0.751"]
    assert_books()


def test_halves_what_is_open_at_the_venue_where_owners_hold_against_each_other(world: World) -> None:
    world.rest("2", tif=TimeInForce.IOC)
    world.rest("1.2", tif=TimeInForce.IOC, strategy="maker", side=Side.SELL)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    assert world.venue.position("BTC") == D("0.8")
    veto(world, mode="reducing", flatten=True)
    Veto.objects.update(keep_share=D("0.5"))
    assert carry_out(world)
    assert world.venue.position("BTC") == D("0.4")
    assert {p.strategy: p.quantity for p in Position.objects.all()} == {"turtle": D("1.6"), "maker": D("-1.2")}
    assert_books()


def test_whoever_takes_over_a_halving_does_not_halve_again(world: World) -> None:
    world.rest("2", tif=TimeInForce.IOC)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    row = veto(world, mode="reducing", flatten=True)
    Veto.objects.update(keep_share=D("0.5"))
    assert carry_out(world)
    Veto.objects.filter(pk=row.pk).update(done_at=None, stage=Veto.Stage.FLATTENING, worker="", worker_until=None)
    assert carry_out(world)
    assert world.venue.position("BTC") == D(1)
    assert_books()


def test_flattens_what_nobody_owns(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(2), D(100))
    veto(world, flatten=True)
    assert carry_out(world)
    assert world.venue.position("BTC") == 0
    assert_books()


def test_what_is_held_in_something_we_do_not_list_is_told_and_never_taken_for_flat(world: World) -> None:
    unheard = world.venue.trade("NEWCOIN", Side.BUY, D(3), D(10))
    # Older than any question for fills reaches: the venue shows the position, and no fill ever gives it a row.
    world.venue.trades[-1] = replace(unheard, time_exchange=unheard.time_exchange - timedelta(days=400))
    world.venue.trade("BTC", Side.BUY, D(2), D(100))
    row = veto(world, flatten=True)
    assert carry_out(world) == []
    assert (world.venue.position("BTC"), world.venue.position("NEWCOIN")) == (0, 3)
    row.refresh_from_db()
    assert (row.stage == "done", "NEWCOIN" in row.detail) == (False, True)


def test_tries_again_when_an_exit_finds_nobody_to_trade_with(world: World) -> None:
    world.rest("1.5", tif=TimeInForce.IOC)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    row = veto(world, flatten=True)
    world.venue.ioc_fills = False

    def market_returns(call: str) -> None:
        world.venue.ioc_fills = world.venue.calls.count("place") > 3

    world.venue.watch = market_returns
    assert carry_out(world) == [row]
    assert world.venue.position("BTC") == 0
    assert Order.objects.filter(tick_id=f"veto-{row.pk}").count() == 3
    assert_books()


def test_never_sends_a_second_exit_while_the_first_is_unknown(world: World) -> None:
    world.rest("1.5", tif=TimeInForce.IOC)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    row = veto(world, flatten=True)
    world.venue.drop_answer("place", Connectivity("reset"))
    assert carry_out(world) == [row]
    assert Order.objects.filter(tick_id=f"veto-{row.pk}").count() == 1
    assert world.venue.position("BTC") == 0
    assert_books()


def test_a_venue_that_is_down_leaves_the_veto_open_with_the_reason(world: World) -> None:
    row = veto(world)
    for _ in range(1000):
        world.venue.refuse("open_orders", Connectivity("down"))
    assert carry_out(world) == []
    row.refresh_from_db()
    assert (row.stage, row.done_at, row.worker) == ("cancelling", None, "")
    assert "down" in row.detail
    world.venue.before.clear()
    assert carry_out(world) == [row]


def test_another_worker_takes_over_where_a_dead_one_stopped(world: World) -> None:
    row = veto(world)
    resting = world.venue.rest("BTC", Side.BUY, D(90), D(1))
    Veto.objects.update(worker="dead", worker_until=world.clock.now() + timedelta(seconds=10))
    assert carry_out(world) == []
    assert resting in world.venue.live()
    world.clock.advance(timedelta(seconds=11))
    assert carry_out(world) == [row]
    assert world.venue.live() == []


def test_a_veto_released_before_it_was_done_does_nothing(world: World) -> None:
    order = world.rest()
    row = veto(world)
    trading_state_set(
        scope_kind="everything", scope_key="*", mode="active", reason="x", actor="x", now=world.clock.now()
    )
    assert carry_out(world) == [row]
    order.refresh_from_db()
    assert order.status == "open"


def test_carrying_out_twice_does_nothing_more(world: World) -> None:
    world.rest()
    veto(world)
    carry_out(world)
    world.venue.calls.clear()
    assert carry_out(world) == []
    assert world.venue.calls == []
    assert Fill.objects.count() == 0


def test_an_order_that_no_cancel_can_name_keeps_nothing_from_being_cancelled_and_flattened(world: World) -> None:
    world.rest("1", tif=TimeInForce.IOC)
    resting = world.rest()
    world.venue.rest("@107", Side.BUY, D(5), D(1))
    world.venue.nameless.add("@107")
    row = veto(world, flatten=True)
    assert carry_out(world) == [row]
    resting.refresh_from_db()
    row.refresh_from_db()
    assert resting.status == "cancelled"
    assert world.venue.position() == 0
    assert [order.symbol for order in world.venue.live()] == ["@107"]
    assert (row.stage, "@107" in row.detail) == ("done", True)
    alarm = AccountEvent.objects.get(kind="uncancellable_order")
    assert "@107" in alarm.message
    assert_books()


def lose_keys(code: str) -> None:
    Signer.objects.filter(account__code=code).delete()


@pytest.mark.parametrize("enabled", [True, False])
def test_an_account_that_cannot_be_asked_keeps_no_other_from_being_flattened(world: World, enabled: bool) -> None:
    world.add_account("keyless")
    lose_keys("keyless")
    Account.objects.filter(code="keyless").update(enabled=enabled)
    world.rest("1.5", tif=TimeInForce.IOC)
    reconcile_account(world.account.pk, world.sessions, world.clock)
    row = veto(world, flatten=True)
    assert carry_out(world) == []
    assert world.venue.position() == 0
    row.refresh_from_db()
    assert (row.stage, row.done_at, row.worker) == ("flattening", None, "")
    assert "keyless: account" in row.detail
    assert "paper-1" not in row.detail
    assert_books()


def test_a_halt_ends_when_the_account_that_could_not_be_asked_can_be(world: World) -> None:
    other = world.add_account("keyless")
    other.rest("BTC", Side.BUY, D(90), D(1))
    lost = list(Signer.objects.filter(account__code="keyless"))
    lose_keys("keyless")
    row = veto(world)
    assert carry_out(world) == []
    assert len(other.live()) == 1
    Signer.objects.bulk_create(lost)
    assert carry_out(world) == [row]
    row.refresh_from_db()
    assert (other.live(), row.stage, row.detail) == ([], "done", "")


def test_an_account_whose_fills_cannot_be_read_keeps_no_other_from_being_flattened(world: World) -> None:
    other = world.add_account("unread")
    other.trade("BTC", Side.BUY, D(1), D(100))
    for _ in range(1000):
        other.refuse("fills", Connectivity("no fills today"))
    world.venue.trade("BTC", Side.BUY, D(2), D(100))
    row = veto(world, flatten=True)
    assert carry_out(world) == []
    assert (world.venue.position(), other.position()) == (0, 1)
    row.refresh_from_db()
    assert "unread: no fills today" in row.detail


def test_an_order_in_flight_on_one_account_keeps_no_other_waiting(world: World) -> None:
    other = world.add_account("other")
    other.trade("BTC", Side.BUY, D(1), D(100))
    flat_after = []
    world.venue.refuse("place", Connectivity("slow"))
    world.rest()
    started = world.clock.now()
    row = veto(world, flatten=True)

    def look(seconds: float) -> None:
        if not other.position():
            flat_after.append(world.clock.now() - started)

    assert carry_out(world, look) == [row]
    assert flat_after[0] < timedelta(seconds=1)


def test_asks_seldom_while_an_order_is_in_flight(world: World) -> None:
    """A look weighs 20 of the 1,200 that the venue grants a minute."""
    world.venue.refuse("place", Connectivity("slow"))
    world.rest()
    row = veto(world)
    started = world.clock.now()
    assert carry_out(world) == [row]
    assert timedelta(seconds=7) <= world.clock.now() - started < timedelta(seconds=8)
    assert world.venue.calls.count("open_orders") <= 8


def test_asks_seldom_when_cancels_change_nothing(world: World) -> None:
    stubborn = world.venue.rest("BTC", Side.BUY, D(90), D(1))

    def revive(call: str) -> None:
        stubborn.status = OrderStatus.OPEN

    world.venue.watch = revive
    row = veto(world)
    assert carry_out(world) == []
    assert world.venue.calls.count("open_orders") <= 16
    row.refresh_from_db()
    assert row.done_at is None


def test_asks_an_account_that_gives_no_answer_seldom(world: World) -> None:
    for _ in range(1000):
        world.venue.refuse("open_orders", Connectivity("down"))
    veto(world)
    assert carry_out(world) == []
    assert world.venue.calls.count("open_orders") <= 12


def test_a_venue_that_asks_for_patience_is_left_alone_as_long_as_it_says(world: World) -> None:
    other = world.add_account("other")
    world.venue.rest("BTC", Side.BUY, D(90), D(1))
    world.venue.refuse("open_orders", RateLimited("HTTP 429", 10.0))
    other.refuse("open_orders", RateLimited("HTTP 429", 10.0))
    row = veto(world)
    looks = []
    world.venue.watch = other.watch = lambda call: looks.append((world.clock.now(), call))
    started = world.clock.now()
    assert carry_out(world) == [row]
    seconds = [(at - started).total_seconds() for at, call in looks if call == "open_orders"]
    # Both accounts knock once: what the one was told holds for the other, because the venue counts by address.
    assert len([at for at in seconds if at < 10]) == 1
    assert world.venue.live() == []


def test_exits_wait_too_when_the_venue_asks_for_patience(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(2), D(100))
    world.venue.refuse("place", RateLimited("HTTP 429", 10.0))
    row = veto(world, flatten=True)
    looks = []
    world.venue.watch = lambda call: looks.append((world.clock.now(), call))
    assert carry_out(world) == [row]
    refused = next(at for at, call in looks if call == "place")
    assert not [call for at, call in looks if refused < at < refused + timedelta(seconds=10)]
    assert world.venue.position() == 0
    assert_books()


def test_a_pass_ends_in_time_although_the_venue_asks_for_more_patience(world: World) -> None:
    world.venue.refuse("open_orders", RateLimited("HTTP 429", 600.0))
    row = veto(world)
    started = world.clock.now()
    assert carry_out(world) == []
    assert world.clock.now() - started <= timedelta(seconds=halt.PASS_SECONDS)
    assert world.venue.calls == ["open_orders"]
    row.refresh_from_db()
    assert row.worker == ""


def test_a_veto_that_cannot_end_delays_no_other(world: World) -> None:
    world.add_account("keyless")
    lose_keys("keyless")
    stuck = veto(world, "account", "keyless", flatten=True)
    row = veto(world, "account", "paper-1")
    world.venue.rest("BTC", Side.BUY, D(90), D(1))
    started = world.clock.now()
    assert carry_out(world) == [row]
    row.refresh_from_db()
    assert row.first_cancel_at - started < timedelta(seconds=0.5)
    assert row.done_at - started < timedelta(seconds=1)
    stuck.refresh_from_db()
    assert stuck.done_at is None


def test_the_newest_veto_gets_its_first_cancel_first(world: World) -> None:
    other = world.add_account("other")
    veto(world, "account", "paper-1")
    veto(world, "account", "other")
    order = []
    world.venue.watch = lambda call: order.append("older")
    other.watch = lambda call: order.append("newer")
    assert len(carry_out(world)) == 2
    assert order[0] == "newer"


def test_a_veto_engaged_during_a_pass_is_taken_up_in_it(world: World) -> None:
    world.add_account("keyless")
    lose_keys("keyless")
    veto(world, "account", "keyless")
    rows = []

    def engage_later(seconds: float) -> None:
        if not rows and world.clock.now() - NOW > timedelta(seconds=5):
            world.venue.rest("BTC", Side.BUY, D(90), D(1))
            rows.append(veto(world, "account", "paper-1"))

    assert carry_out(world, engage_later) == rows
    assert len(rows) == 1
    rows[0].refresh_from_db()
    assert rows[0].done_at - rows[0].engaged_at < timedelta(seconds=1)


def test_a_surprise_in_one_veto_reaches_no_other(world: World) -> None:
    other = world.add_account("odd")
    odd = veto(world, "account", "odd")
    row = veto(world, "account", "paper-1")
    for _ in range(1000):
        other.refuse("open_orders", KeyError("coin"))
    world.venue.rest("BTC", Side.BUY, D(90), D(1))
    assert carry_out(world) == [row]
    assert world.venue.live() == []
    odd.refresh_from_db()
    assert (odd.done_at, odd.worker) == (None, "")
    assert "KeyError: 'coin'" in odd.detail


def test_cancels_an_order_whose_row_cannot_be_read(world: World) -> None:
    resting = world.rest()
    world.venue.odd.add(resting.venue_order_id)
    stranger = world.venue.rest("BTC", Side.BUY, D(5), D(1))
    world.venue.odd.add(stranger.venue_order_id)
    row = veto(world)
    assert carry_out(world) == [row]
    resting.refresh_from_db()
    assert (resting.status, world.venue.live()) == ("cancelled", [])
    assert_books()


def test_trouble_with_one_veto_itself_reaches_no_other(world: World, monkeypatch) -> None:
    odd = veto(world, "account", "another")
    row = veto(world, "account", "paper-1")
    mode = halt._mode

    def puzzled(veto: Veto):
        if veto.pk == odd.pk:
            raise ValueError("what mode is that")
        return mode(veto)

    monkeypatch.setattr(halt, "_mode", puzzled)
    world.venue.rest("BTC", Side.BUY, D(90), D(1))
    assert carry_out(world) == [row]
    assert world.venue.live() == []
    odd.refresh_from_db()
    assert "what mode is that" in odd.detail


def test_a_pass_ends_when_the_database_is_away(world: World, monkeypatch) -> None:
    """With the session gone nothing can be known or noted; the next message comes with a new session."""
    veto(world)
    asked = []

    def gone(veto: Veto):
        asked.append(veto.pk)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(halt, "_mode", gone)
    monkeypatch.setattr(halt.connection, "is_usable", lambda: False, raising=False)
    with pytest.raises(OperationalError):
        carry_out(world)
    assert len(asked) == 1
    assert world.venue.calls == []


def test_every_account_has_its_cancels_before_any_row_is_written(world: World) -> None:
    second = world.add_account("paper-2")
    ours, waiting = world.rest(), world.place()
    second.rest("BTC", Side.SELL, D(120), D(2))
    veto(world)
    written = []

    def note(call: str) -> None:
        if call == "cancel_resting":
            ours.refresh_from_db()
            waiting.refresh_from_db()
            written.append((ours.status, waiting.status))

    world.venue.watch = second.watch = note
    assert carry_out(world)
    assert written == [("open", "approved")] * 2
    ours.refresh_from_db()
    waiting.refresh_from_db()
    assert (ours.status, waiting.status) == ("cancelled", "cancelled")
    assert world.venue.live() == second.live() == []
    assert world.venue.calls.count("open_orders") == 3
    assert_books()
