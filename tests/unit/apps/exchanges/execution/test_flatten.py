"""How a halt closes positions: dearer with time, never more than there is, and resumable wherever it was cut off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.capabilities import Support
from apps.exchanges.execution import halt
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.models import AccountEvent, Order, Position, Veto
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.errors import Connectivity
from moondev.domain.market_data import Book, BookLevel
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import NOW, World, assert_books, make_world

pytestmark = pytest.mark.django_db
D = Decimal
Urgency = Veto.Urgency
DEADLINE = 20


class Died(BaseException):
    """Nothing catches it: the process is gone."""


class Touch:
    """The best prices that a halt is shown."""

    def __init__(self) -> None:
        self.bid, self.ask = 99.9, 100.1
        self.away = False

    def book(self, venue: str, symbol: str) -> Book:
        if self.away:
            raise Connectivity("no book today")
        return Book((BookLevel(self.bid, 5.0),), (BookLevel(self.ask, 5.0),), NOW, NOW)

    def close(self) -> None:
        """Nothing is open."""


class Scene:
    """A world that holds 2 BTC, a halt to flatten it, and eyes on every exit that leaves."""

    def __init__(self, world: World) -> None:
        self.world, self.venue, self.touch = world, world.venue, Touch()
        self.buy("2")
        self.venue.watch = self.look
        self.on_call = None

    def buy(self, quantity: str) -> None:
        self.world.rest(quantity, tif=TimeInForce.IOC)
        reconcile_account(self.world.account.pk, self.world.sessions, self.world.clock)

    def look(self, call: str) -> None:
        """Before anything reaches the venue: what lives there together never exceeds the position."""
        living = sum((o.remaining for o in self.venue.live() if o.reduce_only), start=D(0))
        assert living <= abs(self.venue.position()), "exits exceed the position"
        if self.on_call:
            self.on_call(call)

    def veto(self, urgency=Urgency.PATIENT, kind="everything", key="*", mode="halted", **columns) -> Veto:
        now = self.world.clock.now()
        state = trading_state_set(scope_kind=kind, scope_key=key, mode=mode, reason="test", actor="test", now=now)
        values = {"flatten": True, "deadline_seconds": DEADLINE, "slippage_bps": 500, "urgency": urgency, **columns}
        return Veto.objects.create(
            venue_id="hyperliquid", scope_kind=kind, scope_key=key, epoch=state.epoch, reason="test",
            actor="test", engaged_at=now, **values,
        )  # fmt: skip

    def carry_out(self, sleeping=None) -> list[Veto]:
        """Take one pass in a world whose time passes only while somebody sleeps."""

        def sleep(seconds: float) -> None:
            self.world.clock.advance(timedelta(seconds=seconds))
            if sleeping:
                sleeping((self.world.clock.now() - NOW).total_seconds())

        def timer() -> float:
            return (self.world.clock.now() - NOW).total_seconds()

        return halt.carry_out(
            "hyperliquid", sessions=self.world.sessions, clock=self.world.clock, sleep=sleep, timer=timer,
            books=self.touch,
        )  # fmt: skip

    def exits(self, row: Veto) -> list[tuple[str, Decimal]]:
        """Return the lifetimes and prices of the exits, oldest first, without repetitions."""
        rows = Order.objects.filter(tick_id=f"veto-{row.pk}").order_by("pk").values_list("time_in_force", "price")
        return list(dict.fromkeys(rows))

    def assert_flat(self) -> None:
        assert self.venue.position() == 0
        assert set(Position.objects.values_list("quantity", flat=True)) == {0}
        assert not [o for o in self.venue.live() if o.reduce_only]
        assert_books()


@pytest.fixture
def scene() -> Scene:
    return Scene(make_world())


def test_a_patient_exit_rests_at_the_touch_then_goes_through_the_book_then_to_the_market(scene: Scene) -> None:
    scene.venue.liquidity = D(96)
    row = scene.veto()
    seen = {}

    def note(seconds: float) -> None:
        for exit_ in Order.objects.filter(tick_id=f"veto-{row.pk}"):
            seen.setdefault(exit_.price, seconds)

    assert scene.carry_out(note) == [row]
    scene.assert_flat()
    first, second, third = scene.exits(row)[:3]
    assert first == ("post_only", D("100.1"))
    assert second == ("ioc", D("99.5"))
    assert third[0] == "ioc"
    assert third[1] in {D(95), D(96)}
    began = [seen[price] / DEADLINE for _, price in (first, second, third)]
    assert began[0] < 0.1
    assert 0.5 <= began[1] < 0.6
    assert 0.75 <= began[2] < 0.85


@pytest.mark.parametrize(
    ("urgency", "expected"), [(Urgency.BRISK, ("ioc", D("99.5"))), (Urgency.IMMEDIATE, ("ioc", D(95)))]
)
def test_who_is_in_a_hurry_never_rests(scene: Scene, urgency: Urgency, expected) -> None:
    row = scene.veto(urgency)
    began = scene.world.clock.now()
    assert scene.carry_out() == [row]
    assert scene.exits(row) == [expected]
    assert scene.world.clock.now() - began < timedelta(seconds=1)
    scene.assert_flat()


def test_a_resting_exit_follows_the_touch_and_what_of_it_has_filled_is_not_sold_again(scene: Scene) -> None:
    row = scene.veto()

    def market(seconds: float) -> None:
        if seconds > 4 and scene.touch.ask > 100:
            scene.touch.ask = 99.9
            scene.touch.bid = 99.7
            (resting,) = scene.venue.live()
            scene.venue.fill(resting, D("0.5"))

    assert scene.carry_out(market) == [row]
    scene.assert_flat()
    assert scene.exits(row)[:2] == [("post_only", D("100.1")), ("post_only", D("99.9"))]
    repriced = Order.objects.filter(tick_id=f"veto-{row.pk}", price=D("99.9")).first()
    assert repriced is not None
    assert repriced.quantity == D("1.5")


def test_an_exit_that_fills_while_it_is_taken_back_is_booked_and_nothing_more_is_sold(scene: Scene) -> None:
    row = scene.veto()

    def fills_first(call: str) -> None:
        if call == "cancel" and scene.venue.live():
            (resting,) = scene.venue.live()
            scene.venue.fill(resting, resting.remaining)

    scene.on_call = fills_first
    assert scene.carry_out() == [row]
    scene.assert_flat()
    assert scene.exits(row) == [("post_only", D("100.1"))]


@pytest.mark.parametrize("final", [True, False])
def test_a_cancel_whose_answer_is_lost_is_settled_before_the_next_stage(scene: Scene, final: bool) -> None:
    scene.world.able = replace(scene.world.able, cancel_is_final=final)
    row = scene.veto()
    scene.venue.drop_answer("cancel", Connectivity("reset"))
    assert scene.carry_out() == [row]
    scene.assert_flat()
    assert [life for life, _ in scene.exits(row)] == ["post_only", "ioc"]


def test_what_cannot_be_reached_within_the_cap_is_named_and_alarmed_and_closed_once_it_can_be(scene: Scene) -> None:
    scene.venue.liquidity = D(80)
    row = scene.veto(Urgency.IMMEDIATE)
    assert scene.carry_out() == []
    row.refresh_from_db()
    said = "paper-1: not flat: sell 2 BTC of turtle, market to 9"
    assert (row.stage, row.done_at) == ("flattening", None)
    assert row.detail.startswith(said)
    assert row.detail.endswith("with the mark at 100: could not immediately match")
    assert min(price for _, price in scene.exits(row)) == D(95)
    alarm = AccountEvent.objects.get(kind="not_flat")
    assert f"past its {DEADLINE} s; {said}" in alarm.message
    assert scene.venue.position() == 2
    scene.venue.liquidity = None
    assert scene.carry_out() == [row]
    row.refresh_from_db()
    assert (row.stage, row.detail) == ("done", "")
    scene.assert_flat()


def test_an_exit_that_fills_in_part_goes_on_with_what_is_left(scene: Scene) -> None:
    scene.venue.ioc_most = D("0.7")
    row = scene.veto(Urgency.IMMEDIATE)
    assert scene.carry_out() == [row]
    scene.assert_flat()
    assert [o.quantity for o in Order.objects.filter(tick_id=f"veto-{row.pk}").order_by("pk")] == [
        2,
        D("1.3"),
        D("0.6"),
    ]


def test_where_the_venue_lets_no_reduce_only_order_rest_nothing_rests(scene: Scene) -> None:
    scene.world.able = replace(scene.world.able, resting_reduce_only=Support.EMULATED)
    row = scene.veto()
    assert scene.carry_out() == [row]
    assert [life for life, _ in scene.exits(row)] == ["ioc"]
    scene.assert_flat()


def test_without_a_book_it_goes_through_it_at_once(scene: Scene) -> None:
    scene.touch.away = True
    row = scene.veto()
    assert scene.carry_out() == [row]
    assert scene.exits(row) == [("ioc", D("99.5"))]


def test_a_second_and_more_urgent_halt_takes_the_first_ones_exit_back_and_closes(scene: Scene) -> None:
    patient = scene.veto()
    rows = []

    def hurry(seconds: float) -> None:
        if not rows and scene.venue.live():
            rows.append(scene.veto(Urgency.IMMEDIATE, "account", "paper-1"))

    assert set(scene.carry_out(hurry)) == {patient, *rows}
    scene.assert_flat()
    sold = sum(o.filled_quantity for o in Order.objects.filter(tick_id__startswith="veto-"))
    assert sold == 2
    patient.refresh_from_db()
    assert patient.done_at - patient.engaged_at < timedelta(seconds=DEADLINE / 2)


@pytest.mark.parametrize("before", [True, False])
def test_killed_at_any_write_another_goes_on_and_nothing_is_sold_twice(scene: Scene, before: bool) -> None:
    """Each round dies one write later than the one before, until a round is through without dying."""
    deaths = []
    for number in range(1, 20):
        row = scene.veto(deadline_seconds=3)
        writes: list[str] = []

        def die(call: str, number=number, writes=writes) -> None:
            if call in {"place", "cancel", "cancel_resting"}:
                writes.append(call)
                if len(writes) == number and before:
                    raise Died
                if len(writes) == number:
                    scene.venue.after.setdefault(call, []).append(Died())

        scene.on_call = die
        try:
            scene.carry_out()
        except Died:
            deaths.append(writes[-1])
        scene.on_call = None
        assert 0 <= scene.venue.position() <= 2
        scene.world.clock.advance(timedelta(seconds=15))
        scene.carry_out()
        row.refresh_from_db()
        assert row.done_at is not None, f"not done after a death at {writes[-1]}"
        scene.assert_flat()
        if len(deaths) < number:
            break
        trading_state_set(
            scope_kind="everything", scope_key="*", mode="active", reason="x", actor="x", now=scene.world.clock.now()
        )
        scene.buy("2")
    assert deaths == ["place", "cancel", "place"]


def test_a_halving_too_small_for_the_venue_is_left_and_said_and_ends(scene: Scene) -> None:
    scene.world.rest("0.15", tif=TimeInForce.IOC, strategy="maker", instrument=scene.world.eth)
    reconcile_account(scene.world.account.pk, scene.world.sessions, scene.world.clock)
    row = scene.veto(Urgency.IMMEDIATE, mode="reducing", keep_share=D("0.5"))
    assert scene.carry_out() == [row]
    row.refresh_from_db()
    assert (scene.venue.position("BTC"), scene.venue.position("ETH")) == (1, D("0.15"))
    assert "sell 0.075 ETH of maker stays: less than the venue trades" in row.detail
    assert_books()


def test_an_order_whose_cancel_was_only_acknowledged_ends_as_the_venue_says_when_it_is_asked(scene: Scene) -> None:
    scene.world.able = replace(scene.world.able, cancel_is_final=False)
    resting = scene.world.rest("1", "90")
    seen = []

    def fills_after_the_word(call: str) -> None:
        seen.extend(Order.objects.filter(pk=resting.pk).values_list("status", flat=True))
        if call == "open_orders" and "cancelling" in seen and resting.venue_order_id not in scene.venue.trades:
            order = scene.venue.of(resting.client_order_id)
            if not order.filled:
                scene.venue.fill(order, D(1))

    scene.on_call = fills_after_the_word
    row = scene.veto(flatten=False)
    assert scene.carry_out() == [row]
    resting.refresh_from_db()
    assert "cancelling" in seen
    assert (resting.status, resting.filled_quantity) == ("filled", 1)
    assert_books()


def test_a_list_full_of_other_peoples_orders_does_not_hide_the_scopes_own(scene: Scene) -> None:
    others = [scene.venue.rest("BTC", Side.BUY, D(50 + n), D(1)) for n in range(3)]
    ours = [scene.world.rest("1", "90"), scene.world.rest("1", "91")]
    scene.venue.page = 3
    row = scene.veto(kind="strategy", key="turtle", flatten=False)
    assert scene.carry_out() == [row]
    assert scene.venue.live() == others
    for order in ours:
        order.refresh_from_db()
    assert [order.status for order in ours] == ["cancelled", "cancelled"]
    assert_books()
