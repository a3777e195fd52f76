"""Kill a sender between any two steps, run everything twice and at once: no order lost, none doubled, books exact."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import close_old_connections, connection

from apps.exchanges.accounts.equity import account_books
from apps.exchanges.execution import changes, delivery, sender
from apps.exchanges.models import Fill, Order, OrderCommand, Signer
from apps.exchanges.orders.reconcile import fill_reports, reconcile_account
from apps.exchanges.orders.services import reports_apply
from moondev.domain.errors import Connectivity
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Side
from tests.support.order_world import World, assert_books, make_world

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
D = Decimal


class Killed(BaseException):
    """The process is gone; nothing of it runs any more."""


@pytest.fixture
def world() -> Iterator[World]:
    yield make_world()
    connection.close()


SEAMS = [
    (sender, "orders_claim"),
    (delivery, "orders_begin"),
    (delivery, "nonces_take"),
    (delivery, "gate_modes"),
    (delivery, "cancels_begin"),
    (delivery, "amends_begin"),
    (delivery, "reports_apply"),
    (changes, "reports_apply"),
    (changes, "commands_settle"),
    (changes, "amends_settle"),
    ("venue", "place"),
    ("venue", "cancel"),
    ("venue", "amend"),
]


def die(monkeypatch: pytest.MonkeyPatch, world: World, place: object, name: str, when: str, nth: int) -> None:
    """Kill the process before or after the nth call of one step."""
    home = world.venue if place == "venue" else place
    real, calls = getattr(home, name), []

    def step(*args: object, **kwargs: object) -> object:
        calls.append(name)
        if when == "before" and len(calls) == nth:
            raise Killed(name)
        result = real(*args, **kwargs)
        if when == "after" and len(calls) == nth:
            raise Killed(name)
        return result

    monkeypatch.setattr(home, name, step)
    # A dead process does not tidy up.
    monkeypatch.setattr(sender, "lease_give_back", lambda *_: None)


def recover(world: World) -> None:
    """Let others take over: time passes, a second sender and reconciliation run as they always do."""
    for _ in range(4):
        world.clock.advance(timedelta(seconds=15))
        world.send("survivor")
        reconcile_account(world.account.pk, world.sessions, world.clock)


def assert_nothing_lost_or_doubled(world: World) -> None:
    """Every order has an end or lives at the venue; the venue never saw one twice (it checks); the books agree."""
    for order in Order.objects.all():
        at_venue = [o for o in world.venue.orders.values() if o.client_order_id == order.client_order_id]
        living = [o for o in at_venue if o.status in {"open", "partially_filled"}]
        assert len(living) <= 1
        assert bool(living) == (order.status in {"open", "partially_filled"})
        assert order.status not in {"approved", "sending", "unknown", "cancelling", "amending"}
        assert order.filled_quantity == sum((o.filled for o in at_venue), start=D(0))
    assert not OrderCommand.objects.filter(status__in=["approved", "sending", "unknown"]).exists()
    snapshot = world.venue.account_snapshot()
    books = account_books(world.account.pk)
    assert books.agrees_on_positions(snapshot)
    assert books.equity(snapshot) == snapshot.equity.value
    assert_books()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("place", "name"), SEAMS, ids=[f"{getattr(p, '__name__', p).split('.')[-1]}.{n}" for p, n in SEAMS]
)
def test_a_sender_killed_at_any_step_leaves_nothing_lost_or_doubled(
    world: World, monkeypatch: pytest.MonkeyPatch, place: object, name: str, when: str, nth: int
) -> None:
    first, second = world.rest(valid_seconds=300), world.rest(valid_seconds=300)
    world.record(
        world.entry(valid_seconds=300),
        world.entry("2", tif=TimeInForce.IOC, valid_seconds=300),
        world.entry("1", tif=TimeInForce.IOC, side=Side.SELL, valid_seconds=300),
    )
    world.cancel(first)
    world.amend(second, "0.5", "99")
    with monkeypatch.context() as dying:
        die(dying, world, place, name, when, nth)
        with suppress(Killed):
            world.send("doomed")
    recover(world)
    assert_nothing_lost_or_doubled(world)
    first.refresh_from_db()
    assert first.status in {"cancelled", "open"}


def in_threads(works: list[Callable[[], object]]) -> list[object]:
    """Run works at once, each on a thread and a connection of its own; raise what any of them raised."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        close_old_connections()
        try:
            barrier.wait(30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(120) for future in [pool.submit(run, work) for work in works]]


def test_many_senders_woken_at_once_send_each_order_once(world: World) -> None:
    world.record(*[world.entry(valid_seconds=600) for _ in range(120)])
    in_threads([lambda n=n: world.send(f"w{n}") for n in range(6)])
    world.send("late")
    assert len(world.venue.live()) == 120
    assert Order.objects.filter(status="open").count() == 120
    assert_books()


def test_the_same_reports_from_many_mouths_are_booked_once(world: World) -> None:
    world.record(*[world.entry("2", tif=TimeInForce.IOC, valid_seconds=600) for _ in range(30)])
    world.send()
    trades = list(world.venue.trades)
    reports = fill_reports(trades, "stream")

    def tell() -> object:
        return reports_apply(account_id=world.account.pk, reports=reports, now=world.clock.now())

    in_threads([tell, tell, tell, lambda: reconcile_account(world.account.pk, world.sessions, world.clock)])
    assert Fill.objects.count() == 30
    assert set(Order.objects.values_list("status", flat=True)) == {"filled"}
    assert_nothing_lost_or_doubled(world)


def test_ticks_senders_stream_and_reconciliation_run_at_once_without_deadlock(world: World) -> None:
    """Recorders reserve and cancel, senders send, the stream books fills: all on the same counters."""
    told: set[str] = set()
    lock = threading.Lock()

    def tick(number: int) -> Callable[[], object]:
        def work() -> None:
            for round_ in range(6):
                entries = [
                    world.entry("1", tif=tif, strategy=f"s{number}", leg=f"{number}-{round_}-{n}", valid_seconds=600)
                    for n, tif in enumerate([TimeInForce.IOC, TimeInForce.GTC, TimeInForce.GTC])
                ]
                world.record(*entries)
                world.record(*entries)
                resting = Order.objects.select_related("instrument").filter(strategy=f"s{number}")
                for order in resting.filter(status__in=["open", "approved"])[:1]:
                    world.cancel(order)

        return work

    def stream() -> None:
        for _ in range(25):
            with lock:
                fresh = [t for t in world.venue.trades if t.venue_trade_id not in told]
                told.update(t.venue_trade_id for t in fresh)
            reports = fill_reports(fresh, "stream")
            reports_apply(account_id=world.account.pk, reports=reports, now=world.clock.now())

    works = [tick(1), tick(2), tick(3), stream, stream]
    works += [lambda n=n: [world.send(f"w{n}") for _ in range(10)] for n in range(2)]
    works += [lambda: reconcile_account(world.account.pk, world.sessions, world.clock)]
    in_threads(works)
    recover(world)
    assert Order.objects.count() == 54
    assert_nothing_lost_or_doubled(world)


def test_nonces_taken_at_once_are_all_different(world: World) -> None:
    from apps.exchanges.execution.nonces import nonces_take

    signer = Signer.objects.get(purpose="orders").pk
    taken = in_threads([lambda: [list(nonces_take(signer, 3, world.clock.now())) for _ in range(20)]] * 4)
    numbers = [number for blocks in taken for block in blocks for number in block]
    assert len(set(numbers)) == len(numbers) == 240


def test_a_run_of_lost_answers_loses_and_doubles_nothing(world: World) -> None:
    for number in range(8):
        world.record(world.entry("1", tif=TimeInForce.IOC, valid_seconds=600), world.entry(valid_seconds=600))
        if number % 2:
            world.venue.drop_answer("place", Connectivity("reset"))
        else:
            world.venue.refuse("place", Connectivity("lost"))
        world.send()
    recover(world)
    assert_nothing_lost_or_doubled(world)
