"""Who is due becomes ticks: once, in few messages, and whatever happens at the same time."""

import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
import redis
from celery.signals import before_task_publish
from django.db import connections

from apps.exchanges.market_data.cache import EVENTS_KEY, MarketCache
from apps.exchanges.models import Order, OrderCommand
from apps.strategies.models import StrategyRow, Tick, Trigger
from apps.strategies.orchestrator.dispatch import dispatch, prune
from apps.strategies.orchestrator.dispatcher import Dispatcher
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.event_stream import EventStream
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.orchestrator.withdraw import withdraw_stopped
from apps.strategies.services import strategy_disable, strategy_pause, tick_now
from moondev.domain.clock import LiveClock, ReplayClock
from moondev.domain.errors import InvalidValue
from tests.integration.tick_world import NOW, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def world(monkeypatch, transactional_db):
    register(monkeypatch)
    client = own_redis()
    yield World(client)
    client.close()


@pytest.fixture
def messages():
    """Collect what is published; it still goes to the broker."""
    seen = []

    def note(body=None, routing_key=None, headers=None, properties=None, **more):
        if headers["task"] == "strategies.tick":
            seen.append((body[1]["tick_ids"], properties["priority"], headers["expires"]))

    before_task_publish.connect(note, weak=False)
    yield seen
    before_task_publish.disconnect(note)


def dispatcher(world):
    return Dispatcher(world.clock, EventStream(world.redis), world.cache)


def tell(world, kind, symbol="BTC", *, number=1, interval=60, at=None):
    key = f"hyperliquid:{symbol}"
    event_id = f"{kind}:{key}:{interval}:{number}"
    seconds = str(interval) if kind == "bar" else ""
    fields = {
        "type": kind,
        "key": key,
        "interval": seconds,
        "id": event_id,
        "at": (at or world.clock.now()).isoformat(),
    }
    world.redis.xadd(EVENTS_KEY, fields)


def ticks():
    return sorted(Tick.objects.values_list("strategy__slug", "trigger"))


def finish():
    Tick.objects.update(status="done")


def test_two_beats_make_one_tick(world, messages):
    world.strategy("a", "BTC")
    for _ in range(2):
        dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    finish()
    world.clock.advance(timedelta(seconds=30))
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    assert ticks() == [("a", "interval")]
    assert len(messages) == 1


def test_many_dispatchers_at_once_make_one_tick_each(world):
    for number in range(5):
        world.instruments[f"X{number}"] = world._instrument(f"X{number}")
        world.strategy(f"s{number}", f"X{number}")
    start = threading.Barrier(4)

    def beat():
        start.wait()
        dispatch(due_by_cadence(60, world.clock.now()), world.clock)
        connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(ticks()) == 5


def test_many_workers_with_the_same_message_have_one_effect(world):
    world.strategy("a", "BTC", weight=0.5)
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    ids, start = [Tick.objects.get().pk], threading.Barrier(4)

    def work(name):
        start.wait()
        run_ticks(ids, name, clock=world.clock, cache=MarketCache(own_client()))
        connections.close_all()

    def own_client():
        return redis.Redis(connection_pool=world.redis.connection_pool)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Order.objects.count() == 1
    assert Tick.objects.get().status == "done"


def test_strategies_due_together_share_a_message_per_priority_and_shard(world, messages, settings):
    settings.TICK_SHARDS = 2
    for number in range(6):
        world.instruments[f"X{number}"] = world._instrument(f"X{number}")
        world.strategy(f"s{number}", f"X{number}", priority=9 if number == 5 else 5)
    StrategyRow.objects.filter(slug="s0").update(overruns=1)
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    slug = dict(Tick.objects.values_list("pk", "strategy__slug"))
    together = [sorted(slug[i] for i in ids) for ids, _, _ in messages]
    assert together[0] == ["s5"]
    assert ["s0"] in together
    assert sorted(map(len, together)) == [1, 1, 2, 2]
    assert all(expires is not None for _, _, expires in messages)


def test_a_closed_bar_makes_only_the_strategies_due_that_look_at_it(world):
    world.strategy("bars", "BTC", trigger=Trigger.BAR)
    world.strategy("beats", "ETH")
    assert StrategyRow.objects.get(slug="bars").cadence_seconds == 60
    process = dispatcher(world)
    process._turn()
    tell(world, "bar", "BTC", interval=300)
    tell(world, "bar", "ETH", interval=60)
    process._turn()
    assert ticks() == []
    tell(world, "bar", "BTC", interval=60)
    tell(world, "bar", "BTC", interval=60)
    process._turn()
    assert ticks() == [("bars", "bar")]


def test_a_fill_makes_every_strategy_of_its_instrument_due(world):
    world.strategy("beats", "BTC")
    world.strategy("other", "ETH")
    process = dispatcher(world)
    process._turn()
    tell(world, "fill", "BTC")
    process._turn()
    assert ticks() == [("beats", "fill")]


def test_what_happens_during_a_tick_is_looked_at_after_it(world):
    world.strategy("a", "BTC")
    process = dispatcher(world)
    process._turn()
    tell(world, "fill", number=1)
    process._turn()
    tell(world, "fill", number=2)
    process._turn()
    process._turn()
    assert len(ticks()) == 1
    finish()
    process._turn()
    assert [t.event[-1] for t in Tick.objects.order_by("pk")] == ["1", "2"]


def test_what_waits_is_forgotten_after_a_while(world):
    world.strategy("a", "BTC", deadline_ms=60_000)
    process = dispatcher(world)
    process._turn()
    tell(world, "fill", number=1)
    process._turn()
    tell(world, "fill", number=2)
    process._turn()
    world.clock.advance(timedelta(seconds=11))
    process._turn()
    finish()
    process._turn()
    assert Tick.objects.count() == 1


def test_the_book_makes_due_only_after_moving_far_enough(world):
    world.strategy("maker", "BTC", trigger=Trigger.BOOK, book_move_bps=D(5))
    process = dispatcher(world)
    process._turn()
    expected = 0
    for number, (mid, moved) in enumerate([(50_000, True), (50_020, False), (50_026, True), (50_025, False)]):
        world.book("BTC", float(mid))
        tell(world, "book", number=number)
        process._turn()
        finish()
        expected += moved
        assert Tick.objects.count() == expected, (number, mid)


def test_stale_events_are_left_out(world):
    world.strategy("bars", "BTC", trigger=Trigger.BAR)
    process = dispatcher(world)
    process._turn()
    tell(world, "fill", at=NOW - timedelta(seconds=6))
    tell(world, "bar", at=NOW - timedelta(seconds=61))
    process._turn()
    assert ticks() == []


def test_garbage_in_the_stream_is_left_out(world):
    world.strategy("a", "BTC")
    process = dispatcher(world)
    process._turn()
    world.redis.xadd(EVENTS_KEY, {"type": "rumour", "key": "hyperliquid:BTC", "id": "x", "at": NOW.isoformat()})
    world.redis.xadd(EVENTS_KEY, {"type": "fill", "at": "yesterday"})
    tell(world, "fill")
    process._turn()
    assert ticks() == [("a", "fill")]


def test_events_between_two_dispatchers_are_not_lost(world):
    world.strategy("a", "BTC")
    first = dispatcher(world)
    first._turn()
    tell(world, "fill", number=1)
    first._turn()
    finish()
    tell(world, "fill", number=2)
    dispatcher(world)._turn()
    assert Tick.objects.count() == 2


def test_a_flushed_redis_is_read_on_from_its_new_beginning(world):
    world.strategy("a", "BTC")
    process = dispatcher(world)
    process._turn()
    tell(world, "fill", number=1)
    process._turn()
    finish()
    world.redis.flushdb()
    fresh = dispatcher(world)
    fresh._turn()
    tell(world, "fill", number=2)
    fresh._turn()
    assert Tick.objects.count() == 2


def test_in_a_replay_bars_make_interval_strategies_due(world):
    world.strategy("beats", "BTC", cadence_seconds=60)
    clock = ReplayClock(NOW, LiveClock().now(), 60.0)
    process = Dispatcher(clock, EventStream(world.redis), world.cache)
    process._turn()
    tell(world, "bar", at=clock.now())
    process._turn()
    tick = Tick.objects.get()
    assert tick.trigger == "interval"
    # The deadline is real time: at sixty times the speed it is sixty times as far away.
    assert timedelta(seconds=299) < tick.deadline - tick.due_at < timedelta(seconds=400)


def test_without_redis_the_dispatcher_keeps_trying_and_keeps_house(world):
    world.strategy("a", "BTC")
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    world.clock.advance(timedelta(seconds=6))
    away = redis.Redis(host="127.0.0.1", port=1, socket_timeout=0.2)
    stopped = threading.Event()

    def run():
        Dispatcher(world.clock, EventStream(away), MarketCache(away)).run(stopped)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while Tick.objects.get().status != "expired" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert thread.is_alive()
    stopped.set()
    thread.join(10)
    assert not thread.is_alive()
    assert Tick.objects.get().status == "expired"


def test_orders_of_a_paused_strategy_are_withdrawn_and_its_stop_stays(world):
    row = world.strategy("maker", "BTC", behaviour="quotes")
    tick_now(row.pk, actor="test", clock=world.clock)
    run_ticks([Tick.objects.get().pk], "w", clock=world.clock, cache=world.cache)
    unsent, resting = Order.objects.order_by("pk")
    Order.objects.filter(pk=resting.pk).update(status="open")
    stop = Order.objects.get(pk=resting.pk)
    stop.pk, stop.client_order_id, stop.purpose = None, "6f0f2f0e-6d0c-5b57-9a52-6d6f6f6e6465", "protective"
    stop.save()
    strategy_pause(row.pk, reason="looking into it", actor="test", now=NOW, clock=world.clock)
    assert withdraw_stopped(world.clock) == 0
    assert Order.objects.get(pk=unsent.pk).status == "cancelled"
    assert list(OrderCommand.objects.values_list("order_id", "kind")) == [(resting.pk, "cancel")]
    assert Order.objects.get(pk=stop.pk).status == "open"


def test_a_disabled_strategy_is_no_longer_due(world):
    row = world.strategy("a", "BTC")
    strategy_disable(row.pk, actor="test", now=NOW, clock=world.clock)
    assert due_by_cadence(60, world.clock.now()) == []
    with pytest.raises(InvalidValue, match="strategy is 'a'; allowed: an enabled strategy"):
        tick_now(row.pk, actor="test", clock=world.clock)
    assert not Tick.objects.exists()


def test_a_tick_now_waits_for_nobody_and_refuses_beside_another(world):
    row = world.strategy("a", "BTC")
    tick = tick_now(row.pk, actor="anna", clock=world.clock)
    assert (tick.status, tick.trigger) == ("due", "manual")
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidValue, match="without an outstanding tick"):
        tick_now(row.pk, actor="anna", clock=world.clock)


def test_old_finished_ticks_are_deleted_and_outstanding_ones_never(world):
    world.strategy("a", "BTC")
    world.strategy("b", "ETH")
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    Tick.objects.filter(strategy__slug="a").update(status="done")
    assert prune(NOW + timedelta(days=6)) == 0
    assert prune(NOW + timedelta(days=8)) == 1
    assert ticks() == [("b", "interval")]
