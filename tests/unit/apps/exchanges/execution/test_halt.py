from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.execution import halt
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.models import AccountEvent, Fill, Order, Position, Signer, Veto
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.errors import Connectivity
from moondev.domain.orders import Purpose, TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import World, assert_books, make_world

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
    def pass_time(seconds: float) -> None:
        world.clock.advance(timedelta(seconds=1))

    return halt.carry_out("hyperliquid", sessions=world.sessions, clock=world.clock, sleep=sleep or pass_time)


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


def test_flattens_what_nobody_owns(world: World) -> None:
    world.venue.trade("BTC", Side.BUY, D(2), D(100))
    veto(world, flatten=True)
    assert carry_out(world)
    assert world.venue.position("BTC") == 0
    assert_books()


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


def test_a_venue_that_is_down_leaves_the_veto_open_with_the_reason(world: World, monkeypatch) -> None:
    row = veto(world)
    for _ in range(1000):
        world.venue.refuse("open_orders", Connectivity("down"))
    monkeypatch.setattr(halt, "PASS_SECONDS", 0.2)
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
