"""A stop that the venue refuses or drops is written again, once, while its position stands, and a person is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.execution.rearming import ATTEMPTS, Rearming
from apps.exchanges.execution.watchman import Watchman
from apps.exchanges.management.commands.stream import _user_process
from apps.exchanges.market_data.cache import NEVER_HEARD, Wanted
from apps.exchanges.models import UNASSIGNED, AccountEvent, Order
from apps.exchanges.orders import lost as lost_module
from apps.exchanges.orders.lost import Lost, lost_orders, write_again
from apps.exchanges.orders.protection import brackets_arm
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.errors import InvalidValue, VenueRejected
from moondev.domain.market_data import InstrumentView
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce, client_order_id
from moondev.domain.values import Price, Quantity, Side
from tests.support.order_world import VENUE, assert_books, make_world

pytestmark = pytest.mark.django_db
D = Decimal


class Marks:
    """A market cache that knows BTC's mark, or nothing."""

    mark: float | None = None

    def views(self, wanted: Mapping[str, Wanted], now: object) -> dict[str, InstrumentView]:
        view = NEVER_HEARD if self.mark is None else InstrumentView({}, None, self.mark, timedelta(0))
        return dict.fromkeys(wanted, view)


class Desk:
    """A world with a filled bracket whose stop the venue does not take."""

    def __init__(self) -> None:
        self.world, self.marks, self.woken = make_world(), Marks(), []
        self.rearming = self.another()

    def another(self) -> Rearming:
        return Rearming(VENUE, self.world.clock, self.marks, self.woken.extend)  # type: ignore[arg-type]

    def enter(self, quantity: str = "3", **levels: str) -> Order:
        """Fill a bracket and write its children."""
        self.world.count += 1
        entry = self.world.entry(quantity)
        plain = entry.outcome.request
        request = PlaceOrder(
            client_order_id("turtle", "tick", f"entry{self.world.count}"), plain.instrument, Side.BUY, OrderType.LIMIT,
            TimeInForce.GTC, Quantity(D(quantity)), Price(D(100)), Purpose.OPENING, "s", "",
            **{name: Price(D(level)) for name, level in levels.items()},  # type: ignore[arg-type]
        )  # fmt: skip
        self.world.record(type(entry)(
            type(entry.outcome)(request), entry.account_id, entry.instrument_id, entry.strategy, entry.tick_id,
            entry.reserved, entry.valid_until,
        ))  # fmt: skip
        self.world.send()
        order = self.world.order(request.client_order_id)
        self.world.venue.fill(self.world.venue.of(order.client_order_id), D(quantity))
        reconcile_account(self.world.account.pk, self.world.sessions, self.world.clock)
        brackets_arm(VENUE, self.world.clock.now())
        return order

    def refused(self) -> None:
        """Let the venue say no to what is sent next."""
        self.world.venue.refuse("place", VenueRejected("-2021", "order would trigger immediately"))
        self.world.send()

    def later(self, seconds: float = 1) -> int:
        self.world.clock.advance(timedelta(seconds=seconds))
        return self.rearming.look()

    def alarms(self) -> list[str]:
        events = AccountEvent.objects.filter(kind="unprotected").order_by("pk")
        return list(events.values_list("message", flat=True))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def stops() -> list[tuple[str, Decimal, Decimal | None]]:
    rows = Order.objects.filter(purpose="protective").order_by("pk")
    return list(rows.values_list("status", "quantity", "trigger_price"))


def test_a_stop_that_the_venue_refused_is_written_again_and_told_of(desk: Desk) -> None:
    desk.enter(stop="90")
    desk.refused()
    assert stops() == [("rejected", 3, 90)]
    assert desk.rearming.look() == 0, "a fill that explains it may be on its way"
    assert desk.later() == 1
    assert desk.woken == [desk.world.account.pk]
    assert desk.alarms() == [
        "hyperliquid:BTC: stop at 90 is lost and is written again: rejected, -2021: order would trigger immediately"
    ]
    assert desk.rearming.look() == desk.another().look() == 0
    desk.world.send()
    assert stops() == [("rejected", 3, 90), ("open", 3, 90)]
    assert desk.later(60) == 0
    assert len(desk.world.venue.live()) == 1
    assert_books()


def test_a_stop_of_a_batch_that_the_venue_had_no_room_for_is_written_again(desk: Desk) -> None:
    desk.enter(stop="90", take_profit="120")
    desk.world.send()
    stop = Order.objects.get(order_type="stop")
    Order.objects.filter(pk=stop.pk).update(status="expired", closed_at=desk.world.clock.now(), reason="too many")
    desk.later()
    assert stops() == [("expired", 3, 90), ("open", 3, 120), ("approved", 3, 90)]


def test_passes_that_saw_the_same_loss_write_one_order(desk: Desk) -> None:
    desk.enter(stop="90")
    desk.refused()
    now = desk.world.clock.now()
    (seen,) = lost_orders(VENUE, now - timedelta(minutes=1))
    assert write_again(seen, D(3), None, now)
    assert not write_again(seen, D(3), None, now)
    assert len(stops()) == 2


def test_attempts_end_and_a_person_is_told(desk: Desk) -> None:
    desk.enter(stop="90")
    desk.refused()
    for attempt in range(ATTEMPTS):
        assert desk.later(2**attempt - 0.1) == 0
        assert desk.later(0.1) == 1
        desk.refused()
    assert desk.later(60) == desk.later(1) == 0
    assert stops() == [("rejected", 3, 90)] * (1 + ATTEMPTS)
    first, last = desk.alarms()
    assert "is written again" in first
    assert "for 3 is lost after 5 further attempts" in last


def test_a_stop_whose_trigger_is_passed_leaves_at_the_market(desk: Desk) -> None:
    desk.enter(stop="90")
    desk.refused()
    desk.marks.mark = 60.0
    desk.later()
    assert stops() == [("rejected", 3, 90), ("held", 3, 90)]
    watchman = Watchman(VENUE, desk.world.clock, desk.marks, desk.woken.extend)  # type: ignore[arg-type]
    assert len(watchman.look().released) == 1
    desk.world.send()
    again = Order.objects.latest("pk")
    sent = desk.world.venue.of(again.client_order_id)
    assert (sent.price, sent.reduce_only, sent.trigger) == (D("58.2"), True, None)
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    assert desk.world.venue.position() == 0
    assert desk.later(60) == 0
    assert_books()


def test_a_take_profit_whose_trigger_is_passed_leaves_too_and_a_market_that_is_not_there_waits(desk: Desk) -> None:
    desk.enter(take_profit="120")
    desk.refused()
    desk.marks.mark = 119.0
    desk.later()
    assert stops()[-1] == ("approved", 3, 120)
    desk.refused()
    desk.marks.mark = 121.0
    desk.later(2)
    assert stops()[-1] == ("held", 3, 120)


def test_only_what_is_left_to_protect_is_written_again(desk: Desk) -> None:
    first = desk.enter("1", stop="90")
    desk.enter("2", stop="91")
    Order.objects.filter(purpose="protective").update(status="expired", closed_at=desk.world.clock.now())
    desk.world.venue.trade("BTC", Side.SELL, D("0.5"), D(100), desk.world.venue.of(first.client_order_id))
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    assert desk.later() == 2
    assert stops()[2:] == [("approved", 2, 91), ("approved", D("0.5"), 90)]


def test_what_filled_in_part_is_written_again_for_the_rest(desk: Desk) -> None:
    desk.enter(stop="90")
    desk.world.send()
    stop = Order.objects.get(purpose="protective")
    desk.world.venue.fill(desk.world.venue.of(stop.client_order_id), D(1))
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    Order.objects.filter(pk=stop.pk).update(status="expired", closed_at=desk.world.clock.now())
    assert desk.later() == 1
    assert stops()[-1] == ("approved", 2, 90)


@pytest.mark.parametrize("end", ["flat", "replaced", "cancelled", "disabled", "not ours", "long ago"])
def test_nothing_is_written_and_nobody_told_where_nothing_is_lost(desk: Desk, end: str) -> None:
    entry = desk.enter(stop="90")
    desk.refused()
    world = desk.world
    if end == "flat":
        world.venue.trade("BTC", Side.SELL, D(3), D(100), world.venue.of(entry.client_order_id))
        reconcile_account(world.account.pk, world.sessions, world.clock)
    elif end == "replaced":
        other = Order.objects.get(purpose="protective")
        other.pk, other.client_order_id, other.status = None, client_order_id("turtle", "tick", "other"), "open"
        other.save()
    elif end == "cancelled":
        Order.objects.filter(purpose="protective").update(status="cancelled")
    elif end == "disabled":
        type(world.account).objects.update(enabled=False)
    elif end == "not ours":
        Order.objects.filter(purpose="protective").update(strategy=UNASSIGNED)
    assert desk.later(3600 if end == "long ago" else 1) == 0
    assert desk.alarms() == []


def test_one_that_cannot_be_written_leaves_no_other_without_its_stop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.enter("1", stop="90")
    desk.enter("2", stop="91")
    Order.objects.filter(purpose="protective").update(status="rejected", closed_at=desk.world.clock.now())
    real = lost_module._worst

    def odd(lost: Lost, price: Price | None) -> Price:
        if lost.trigger == Price(D(91)):
            raise InvalidValue("price", 0, "above 0")
        return real(lost, price)

    monkeypatch.setattr(lost_module, "_worst", odd)
    assert desk.later() == 1
    assert stops()[-1] == ("approved", 1, 90)


def test_the_process_of_a_venue_looks_after_what_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(Rearming, "look", lambda rearming: looked.append(rearming._venue))
    process = _user_process(desk.world.account.venue)
    process._sweep()
    assert looked == [VENUE]
