"""Orders of kinds the venue does not do: held, watched, released once, offered again while the venue is away."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from apps.exchanges.capabilities import Support
from apps.exchanges.execution.sweeper import sweep
from apps.exchanges.execution.watchman import Watchman
from apps.exchanges.market_data.cache import NEVER_HEARD, Wanted
from apps.exchanges.models import AccountEvent, InstrumentRow, Order
from apps.exchanges.orders.ending import unsent_end
from apps.exchanges.orders.entries import OrderEntry
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.orders.services import orders_record
from apps.exchanges.selectors import working_orders
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, NotSent, RateLimited
from moondev.domain.market_data import Book, BookLevel, InstrumentView
from moondev.domain.orders import OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce, client_order_id
from moondev.domain.values import Bps, Price, Quantity, Side
from tests.support.order_world import ABLE, VENUE, World, assert_books, make_world

pytestmark = pytest.mark.django_db
D = Decimal
PLAIN_ONLY = replace(
    ABLE,
    order_types={kind: Support.EMULATED if kind.triggered else Support.NATIVE for kind in OrderType},
    times_in_force={tif: Support.NATIVE for tif in TimeInForce if tif is not TimeInForce.FOK},
    amend=Support.EMULATED,
    trigger_amend=Support.EMULATED,
)


class Prices:
    """A market cache that knows one mark per instrument, or is away."""

    def __init__(self, **marks: str | None) -> None:
        self.marks: dict[str, str | None] = dict(marks)
        self.age = timedelta(0)
        self.mark_age: timedelta | None = None
        self.book: Book | None = None
        self.away = False

    def views(self, wanted: Mapping[str, Wanted], now: object) -> dict[str, InstrumentView]:
        if self.away:
            raise Connectivity("redis is away")
        return {key: self._view(key) for key in wanted}

    def _view(self, key: str) -> InstrumentView:
        mark = self.marks.get(key.split(":")[1])
        return (
            NEVER_HEARD
            if mark is None
            else InstrumentView({}, self.book, float(mark), self.age, mark_age=self.mark_age)
        )


class Desk:
    """A world whose venue does plain orders only, and its watchman."""

    def __init__(self, world: World) -> None:
        world.able = PLAIN_ONLY
        self.world, self.prices, self.woken = world, Prices(BTC="100"), []
        self.watchman = self.another_watchman()

    def another_watchman(self) -> Watchman:
        return Watchman(VENUE, self.world.clock, self.prices, self.woken.extend)  # type: ignore[arg-type]

    def hold(
        self,
        kind: OrderType = OrderType.STOP,
        *,
        side: Side = Side.SELL,
        trigger: str = "90",
        price: str = "87",
        quantity: str = "1",
        purpose: Purpose = Purpose.PROTECTIVE,
        trail: str | None = None,
        valid_seconds: float = 60,
    ) -> Order:
        """Record an order of a triggered kind and let the sender meet it."""
        self.world.count += 1
        request = PlaceOrder(
            client_order_id=client_order_id("turtle", "tick", f"held{self.world.count}"),
            instrument=self.world.btc.key,
            side=side,
            order_type=kind,
            time_in_force=TimeInForce.GTC,
            quantity=Quantity(D(quantity)),
            price=Price(D(price)),
            purpose=purpose,
            signal_id="s",
            leg="",
            trigger_price=Price(D(trigger)),
            trail=None if trail is None else Bps(D(trail)),
        )
        reserved = D(quantity) * D(price) if purpose is Purpose.OPENING else D(0)
        entry = OrderEntry(
            RiskApproved(request), self.world.account.pk, self.world.btc.pk, "turtle", "tick", reserved,
            self.world.clock.now() + timedelta(seconds=valid_seconds),
        )  # fmt: skip
        with transaction.atomic():
            self.world.reserve([entry])
            orders_record(entries=[entry], commands=[], now=self.world.clock.now())
        self.world.send()
        return self.world.order(request.client_order_id)

    def long(self, quantity: str = "1") -> None:
        """Hold a position by a fill that is booked."""
        self.world.rest(quantity, "100", tif=TimeInForce.IOC)
        reconcile_account(self.world.account.pk, self.world.sessions, self.world.clock)
        self.world.venue.calls.clear()

    def at(self, mark: str | None) -> frozenset[int]:
        """Let the mark be somewhere, and look."""
        self.prices.marks["BTC"] = mark
        return self.watchman.look().released

    def placed(self) -> list[str]:
        return [call for call in self.world.venue.calls if call == "place"]


@pytest.fixture
def desk() -> Desk:
    return Desk(make_world())


def status(order: Order) -> str:
    order.refresh_from_db()
    return str(order.status)


def test_a_kind_the_venue_does_not_do_waits_with_us(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    assert order.status == "held"
    assert desk.placed() == []
    assert list(order.events.values_list("status_to", flat=True)) == ["approved", "held"]
    assert [one.status for one in working_orders(["turtle"])["turtle"]] == [OrderStatus.HELD]
    assert desk.at("90.1") == frozenset()
    # It waits for ever: only what is about to be sent has a last moment.
    desk.world.clock.advance(timedelta(days=3))
    sweep(VENUE, desk.world.clock.now())
    assert status(order) == "held"
    assert_books()


def test_a_due_order_is_released_once_and_sent_as_what_it_becomes(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    assert desk.at("90") == {order.pk}
    assert desk.woken == [desk.world.account.pk]
    assert (status(order), order.triggered) == ("approved", True)
    assert desk.at("80") == frozenset()
    assert desk.another_watchman().look().released == frozenset()
    desk.world.send()
    assert desk.placed() == ["place"]
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    assert status(order) == "filled"
    assert desk.world.venue.position() == 0
    assert_books()


def test_a_mark_that_stopped_coming_is_not_acted_on_however_fresh_the_book_is(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    desk.prices.mark_age = timedelta(minutes=5)
    assert desk.at("80") == frozenset(), "nobody knows a price now"
    now = desk.world.clock.now()
    desk.prices.book = Book((BookLevel(94.0, 1.0),), (BookLevel(96.0, 1.0),), now, now)
    assert desk.at("80") == frozenset(), "the market is far above"
    desk.prices.book = Book((BookLevel(84.0, 1.0),), (BookLevel(86.0, 1.0),), now, now)
    assert desk.at("100") == {order.pk}, "the book has fallen below the trigger, whatever the last mark was"


def test_a_fresh_mark_is_acted_on_though_the_book_stands_still(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    desk.prices.age, desk.prices.mark_age = timedelta(minutes=5), timedelta(0)
    assert desk.at("80") == {order.pk}


def test_an_order_that_fits_no_grid_any_more_keeps_no_other_from_being_released(desk: Desk) -> None:
    desk.long("2")
    odd, good = desk.hold(price="0.000001"), desk.hold()
    assert desk.at("90") == {good.pk}
    assert status(odd) == "held"


def test_a_mark_of_zero_is_no_price(desk: Desk) -> None:
    desk.long()
    desk.hold()
    assert desk.at("0") == frozenset()


@pytest.mark.parametrize(
    ("mark", "worst", "alarms"),
    [("88", "87", 0), ("87", "84.3", 1), ("60", "58.2", 1)],
)
def test_a_stop_that_the_market_has_run_past_still_gets_out(desk: Desk, mark: str, worst: str, alarms: int) -> None:
    desk.long()
    order = desk.hold(trigger="90", price="87")
    assert desk.at(mark) == {order.pk}
    order.refresh_from_db()
    assert order.price == D(worst)
    assert AccountEvent.objects.filter(kind="unprotected").count() == alarms
    desk.world.send()
    assert desk.world.venue.of(order.client_order_id).price == D(worst)


def test_a_short_is_let_out_above_a_gap(desk: Desk) -> None:
    desk.world.rest("1", "100", side=Side.SELL, tif=TimeInForce.IOC)
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    order = desk.hold(side=Side.BUY, trigger="110", price="113")
    assert desk.at("200") == {order.pk}
    order.refresh_from_db()
    assert order.price == 206


def test_an_order_that_named_its_price_keeps_it_after_a_gap(desk: Desk) -> None:
    desk.long("3")
    limit = desk.hold(OrderType.STOP_LIMIT, trigger="90", price="89")
    entry = desk.hold(side=Side.BUY, trigger="110", price="113", purpose=Purpose.OPENING)
    desk.at("60")
    desk.at("200")
    prices = [desk.world.order(one.client_order_id).price for one in (limit, entry)]
    assert prices == [89, 113]
    assert not AccountEvent.objects.filter(kind="unprotected").exists()


def test_a_limit_kind_rests_at_its_price_once_it_is_released(desk: Desk) -> None:
    desk.long()
    order = desk.hold(OrderType.TAKE_PROFIT_LIMIT, trigger="110", price="111")
    desk.at("110")
    desk.world.send()
    assert status(order) == "open"
    (resting,) = desk.world.venue.live()
    assert (resting.price, resting.reduce_only) == (D(111), True)


def test_an_entry_that_is_released_and_not_sent_in_time_expires(desk: Desk) -> None:
    order = desk.hold(side=Side.BUY, trigger="110", price="113", purpose=Purpose.OPENING)
    assert order.reserved == 113
    assert desk.at("110") == {order.pk}
    desk.world.clock.advance(timedelta(seconds=11))
    sweep(VENUE, desk.world.clock.now())
    assert (status(order), order.reserved) == ("expired", 0)
    assert desk.placed() == []
    assert_books()


def test_a_held_order_is_cancelled_in_the_database(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    desk.world.cancel(order)
    assert status(order) == "cancelled"
    assert list(order.events.values_list("status_from", flat=True))[-1] == "held"
    assert desk.at("80") == frozenset()
    assert desk.placed() == []


def test_a_halt_ends_what_is_held_with_the_rest_that_has_not_left(desk: Desk) -> None:
    order = desk.hold(side=Side.BUY, trigger="110", price="113", purpose=Purpose.OPENING)
    ended = unsent_end(
        "o.account_id = %s", (desk.world.account.pk,), status=OrderStatus.CANCELLED, reason="halt", source="veto",
        now=desk.world.clock.now(),
    )  # fmt: skip
    assert (ended, status(order), order.reserved) == (1, "cancelled", 0)
    assert_books()


def test_a_trailing_stop_follows_the_mark_in_its_row(desk: Desk) -> None:
    desk.long()
    order = desk.hold(OrderType.TRAILING_STOP, trigger="90", price="87.3", trail="1000")
    desk.at("120")
    order.refresh_from_db()
    assert (order.trigger_price, order.price) == (D(108), D("104.76"))
    # A watchman that starts anew knows it from the row, and one that is late moves nothing back.
    desk.prices.marks["BTC"] = "115"
    assert desk.another_watchman().look().moved == 0
    assert desk.at("108") == {order.pk}
    desk.world.send()
    assert desk.world.venue.of(order.client_order_id).price == D("104.7")


def test_what_reduces_is_cut_to_the_position_and_never_opens(desk: Desk) -> None:
    desk.long("2")
    order = desk.hold(quantity="5")
    assert desk.at("90") == {order.pk}
    order.refresh_from_db()
    assert order.quantity == 2
    late = desk.hold(side=Side.BUY, trigger="110", price="113")
    assert desk.at("120") == frozenset()
    assert status(late) == "held"


def test_what_is_larger_than_the_venue_takes_at_once_goes_out_in_parts_that_are_written_once(desk: Desk) -> None:
    InstrumentRow.objects.filter(pk=desk.world.btc.pk).update(max_market_quantity=D("0.4"))
    desk.long("1")
    order = desk.hold(quantity="1")
    assert desk.at("90") == {order.pk}
    assert desk.at("90") == frozenset()
    desk.world.send()
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    parts = Order.objects.filter(purpose="protective").order_by("pk")
    assert [part.quantity for part in parts] == [D("0.334"), D("0.333"), D("0.333")]
    assert {(part.status, part.order_type, part.trigger_price) for part in parts} == {("filled", "stop", D(90))}
    assert desk.world.venue.position() == 0
    assert_books()


def test_without_a_fresh_price_nothing_is_released_and_a_person_is_told(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    desk.prices.age = timedelta(seconds=11)
    assert desk.at("80") == frozenset()
    assert not AccountEvent.objects.filter(kind="unwatched_order").exists()
    desk.world.clock.advance(timedelta(seconds=6))
    desk.prices.away = True
    assert desk.watchman.look().blind == (desk.world.btc.key,)
    desk.watchman.look()
    assert AccountEvent.objects.filter(kind="unwatched_order").count() == 1
    desk.prices.away, desk.prices.age = False, timedelta(0)
    assert desk.watchman.look().released == {order.pk}


def test_a_trigger_that_fires_while_the_venue_is_away_is_sent_when_it_is_back(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    desk.at("90")
    for _ in range(3):
        desk.world.venue.refuse("place", NotSent("no connection"))
        desk.world.send()
        assert status(order) == "approved"
        assert desk.world.send() == 0
        desk.world.clock.advance(timedelta(seconds=3))
    assert AccountEvent.objects.filter(kind="unreleased_order").count() == 1
    desk.world.send()
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    assert status(order) == "filled"
    assert len(desk.world.venue.orders) == 2
    assert_books()


def test_an_answer_that_was_lost_after_the_release_is_asked_for_and_never_sent_again(desk: Desk) -> None:
    desk.long()
    order = desk.hold()
    desk.at("90")
    desk.world.venue.drop_answer("place", Connectivity("cut"))
    desk.world.send()
    assert status(order) == "unknown"
    desk.world.clock.advance(timedelta(seconds=30))
    assert desk.at("80") == frozenset()
    reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)
    assert status(order) == "filled"
    assert desk.placed() == ["place"]


def test_an_ability_nobody_has_is_refused_before_anything_is_sent(desk: Desk) -> None:
    order = desk.world.rest(tif=TimeInForce.FOK)
    assert order.status == "cancelled"
    assert "time_in_force is 'fok'; allowed: gtc, ioc, post_only" in order.reason
    assert (desk.placed(), order.reserved) == ([], 0)
    desk.world.able = replace(PLAIN_ONLY, resting_reduce_only=Support.REFUSED)
    order = desk.world.rest(purpose=Purpose.REDUCING, side=Side.SELL)
    assert order.status == "cancelled"
    assert "purpose is 'reducing'" in order.reason
    assert desk.placed() == []
    assert_books()


def test_what_the_venue_does_goes_out_beside_what_it_does_not(desk: Desk) -> None:
    desk.world.record(desk.world.entry(), desk.world.entry(tif=TimeInForce.FOK), desk.world.entry())
    desk.world.send()
    assert sorted(Order.objects.values_list("status", flat=True)) == ["cancelled", "open", "open"]
    assert len(desk.world.venue.live()) == 2


def test_an_amend_the_venue_does_not_do_becomes_a_cancel(desk: Desk) -> None:
    order = desk.world.rest()
    desk.world.amend(order, "0.5", "99")
    desk.world.send()
    assert status(order) == "cancelled"
    assert "amend" not in desk.world.venue.calls
    assert order.commands.get(kind="amend").status == "dropped"
    assert order.commands.get(kind="cancel").status == "done"
    assert_books()


def something_happens(desk: Desk, chance: random.Random, held: list[Order]) -> None:
    """Let the venue, the sender or a strategy do one of the things they do."""
    happening = chance.randrange(6)
    if happening == 0:
        desk.world.venue.refuse("place", chance.choice([NotSent("away"), RateLimited("slow", 1.0)]))
    elif happening == 1:
        desk.world.venue.drop_answer("place", Connectivity("cut"))
    elif happening == 2:
        desk.world.cancel(held[2])
    elif happening == 3:
        desk.world.sender("killed")._claim(desk.world.account.pk)
    else:
        desk.world.send()
    desk.world.clock.advance(timedelta(seconds=chance.choice([0, 1, 14])))


def calm_down(desk: Desk) -> None:
    """Let the venue be well and everything be asked for."""
    desk.world.venue.before.clear()
    desk.world.venue.after.clear()
    for _ in range(4):
        desk.world.clock.advance(timedelta(seconds=14))
        desk.world.send()
        reconcile_account(desk.world.account.pk, desk.world.sessions, desk.world.clock)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_whatever_order_an_order_leaves_once_and_only_when_due(desk: Desk, seed: int) -> None:
    """Two watchmen, a sender that is killed, a venue that comes and goes, a mark that wanders, a cancel."""
    chance = random.Random(seed)
    desk.long("3")
    held = [desk.hold(trigger=trigger) for trigger in ("97", "94", "91")]
    watchmen = [desk.watchman, desk.another_watchman()]
    mark, lowest = D(100), D(100)
    for _ in range(20):
        mark += chance.choice([-3, -2, 2, 3])
        desk.prices.marks["BTC"] = str(mark)
        chance.choice(watchmen).look()
        lowest = min(lowest, mark)
        something_happens(desk, chance, held)
    calm_down(desk)
    for order in held:
        left = [one for one in desk.world.venue.orders.values() if one.client_order_id == order.client_order_id]
        ends = {"filled"} if left else {"held", "cancelled", "rejected"}
        assert status(order) in ends
        assert len(left) <= 1
        # Sent: the mark was there. Still held: it was not.
        assert (lowest <= order.trigger_price) if left else True
        assert (lowest > order.trigger_price) if order.status == "held" else True
    assert desk.world.venue.position() == 3 - sum(order.status == "filled" for order in held)
    assert_books()
