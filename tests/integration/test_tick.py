"""A tick on real servers: what it leaves in the database, once, in time, and for each strategy alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.exchanges.models import DataWish, ExposureCounter, Order, OrderCommand, Position, TradingState
from apps.exchanges.orders.services import orders_record
from apps.risk.sizing.rule import SizingMethod, SizingRule
from apps.risk.sizing.services import sizing_set
from apps.strategies.models import SignalSize, StrategyEvent, StrategyRow, Tick
from apps.strategies.orchestrator import record as record_module
from apps.strategies.orchestrator.dispatch import dispatch, expire_overdue
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.services import strategy_disable, strategy_enable
from moondev.counting.table import ORDER_STAGES, ORDERS, TICKS
from tests.integration.tick_world import NOW, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def world(monkeypatch, transactional_db):
    register(monkeypatch)
    client = own_redis()
    yield World(client)
    client.close()


def due(world):
    """Make everything due and return the tick ids, without a worker taking them."""
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    return list(Tick.objects.filter(status="due").order_by("pk").values_list("pk", flat=True))


def run(world, tick_ids=None):
    ids = due(world) if tick_ids is None else tick_ids
    run_ticks(ids, "worker-1", clock=world.clock, cache=world.cache)
    return ids


def tick_again(world):
    world.clock.advance(timedelta(seconds=60))
    world.mark_equity()
    for symbol in world.instruments:
        world.book(symbol, 50_000.0)
    run(world)
    return Tick.objects.latest("pk")


def counted():
    stages = [ORDER_STAGES.count(stage, "turtle", "hyperliquid") for stage in ("decision", "approval")]
    return [TICKS.value("turtle", "done"), ORDERS.value("turtle", "hyperliquid", "approved"), *stages]


def test_a_tick_becomes_approved_orders_with_reserved_exposure(world):
    world.strategy("turtle", "BTC", weight=0.5, stop=48_000)
    before = counted()
    run(world)
    # One tick that is done, one decision, one approval: counted once committed, at the strategy's venue.
    assert [after - was for after, was in zip(counted(), before, strict=True)] == [1, 1, 1, 1]
    tick, order = Tick.objects.get(), Order.objects.get()
    assert (tick.status, tick.placed, tick.refused, tick.error) == ("done", 1, 0, "")
    assert (order.status, order.strategy, order.quantity, order.purpose) == ("approved", "turtle", D("0.1"), "opening")
    assert order.valid_until == tick.deadline
    assert order.arrival_price == D(50_000)
    assert order.reserved == order.quantity * order.price
    used = dict(ExposureCounter.objects.values_list("scope_kind", "used"))
    assert set(used.values()) == {order.reserved}
    assert SignalSize.objects.get().quantity == D("0.1")
    assert StrategyRow.objects.get().state == {"ticks": 1}


def test_the_report_says_what_was_seen_wanted_and_done(world):
    world.strategy("turtle", "BTC", weight=0.5)
    run(world)
    tick = Tick.objects.get()
    assert tick.report["age_ms"] == {"hyperliquid:BTC": 0.0}
    assert tick.report["seen"] == {"hyperliquid:BTC": {"price": "50000.0", "held": "0", "working": 0}}
    assert tick.report["desired"][0]["weight"] == 0.5
    assert "scripted" in tick.report["notes"]
    assert tick.report["plan"][0].startswith("opening buy 0.1 hyperliquid:BTC")
    assert set(tick.report["stages_ms"]) == {"load", "decide", "plan", "review", "record"}
    assert tick.parameters_version == 1
    assert len(tick.code_hash) == 64


def test_the_same_message_twice_is_one_effect(world):
    world.strategy("turtle", "BTC", weight=0.5)
    ids = run(world)
    run(world, ids)
    assert Order.objects.count() == 1
    assert StrategyRow.objects.get().state == {"ticks": 1}


def test_the_next_tick_places_nothing_while_the_order_is_unsent(world):
    world.strategy("turtle", "BTC", weight=0.5)
    run(world)
    assert tick_again(world).placed == 0
    assert Order.objects.count() == 1


def test_a_tick_past_its_deadline_commits_nothing(world, monkeypatch):
    world.strategy("turtle", "BTC", weight=0.5)
    ids = due(world)

    def slow_record(**more):
        recorded = orders_record(**more)
        world.clock.advance(timedelta(seconds=6))
        return recorded

    monkeypatch.setattr(record_module, "orders_record", slow_record)
    run(world, ids)
    assert Tick.objects.get().status == "expired"
    assert not Order.objects.exists()
    assert not SignalSize.objects.exists()
    assert all(used == 0 for used in ExposureCounter.objects.values_list("used", flat=True))
    assert StrategyRow.objects.get().state == {}


def test_a_tick_whose_lease_was_lost_commits_nothing(world, monkeypatch):
    world.strategy("turtle", "BTC", weight=0.5)
    ids = due(world)
    from apps.strategies.orchestrator import tick as flow

    def steal(known):
        Tick.objects.update(lease="somebody else")
        return {}

    monkeypatch.setattr(flow, "known_sizes", steal)
    run(world, ids)
    assert not Order.objects.exists()
    assert Tick.objects.get().status == "running"


def test_a_tick_that_was_not_taken_in_time_expires_and_never_runs(world):
    world.strategy("turtle", "BTC", weight=0.5)
    ids = due(world)
    world.clock.advance(timedelta(seconds=6))
    assert expire_overdue(world.clock.now()) == 1
    run(world, ids)
    assert Tick.objects.get().status == "expired"
    assert not Order.objects.exists()


def test_an_operator_who_pauses_a_strategy_while_it_decides_stops_its_orders(world, monkeypatch):
    world.strategy("turtle", "BTC", weight=0.5)
    ids = due(world)
    from apps.strategies.orchestrator import tick as flow

    monkeypatch.setattr(flow, "known_sizes", lambda known: StrategyRow.objects.update(paused_reason="stop") and {})
    run(world, ids)
    tick = Tick.objects.get()
    assert tick.status == "failed"
    assert "paused" in tick.error
    assert not Order.objects.exists()


def test_a_state_that_somebody_else_changed_is_not_overwritten(world, monkeypatch):
    world.strategy("turtle", "BTC", weight=0.5)
    ids = due(world)
    from apps.strategies.orchestrator import tick as flow

    monkeypatch.setattr(
        flow, "known_sizes", lambda known: StrategyRow.objects.update(state={"ticks": 7}, state_version=9) and {}
    )
    run(world, ids)
    assert Tick.objects.get().status == "failed"
    assert StrategyRow.objects.get().state == {"ticks": 7}
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("raises", "ZeroDivisionError: nothing to divide by"),
        ("hangs", "decide did not return within 1 s"),
        ("exits", "SystemExit: 1"),
        ("nonsense", "decision is 'dict'; allowed: a Decision"),
        ("nan", "weight is nan"),
        ("foreign", "instrument is 'hyperliquid:DOGE'; allowed: one of hyperliquid:BTC"),
        ("twice", "allowed: one wish per instrument"),
        ("bad_state", "state is"),
        ("needs_raises", "RuntimeError: cannot say what it needs"),
    ],
)
def test_a_broken_strategy_fails_alone(world, behaviour, message):
    # Enabling asks for its needs too, so the broken behaviour comes with a later edit of the row.
    bad = world.strategy("bad", "BTC")
    StrategyRow.objects.filter(pk=bad.pk).update(parameters={"behaviour": behaviour, "tag": 1})
    world.strategy("good", "ETH", weight=0.5)
    run(world)
    failed, done = (Tick.objects.get(strategy__slug=slug) for slug in ("bad", "good"))
    assert (failed.status, done.status) == ("failed", "done")
    assert message in failed.error
    assert (
        message in StrategyEvent.objects.exclude(kind__in=["created", "enabled", "stage"]).get(strategy="bad").message
    )
    assert list(Order.objects.values_list("strategy", flat=True)) == ["good"]


def test_unknown_parameters_and_kinds_fail_with_a_clear_message(world):
    world.strategy("typo", "BTC")
    world.strategy("gone", "ETH")
    StrategyRow.objects.filter(slug="typo").update(parameters={"wieght": 1})
    StrategyRow.objects.filter(slug="gone").update(kind="martingale")
    run(world)
    errors = dict(Tick.objects.values_list("strategy__slug", "error"))
    assert "wieght" in errors["typo"]
    assert "martingale" in errors["gone"]
    assert not Order.objects.exists()


def test_three_overruns_in_a_row_pause_the_strategy(world):
    world.strategy("slow", "BTC", behaviour="slow", weight=0.0)
    run(world)
    assert StrategyRow.objects.get().overruns == 1
    tick_again(world)
    tick_again(world)
    row = StrategyRow.objects.get()
    assert row.paused_reason == "decide was too slow 3 times in a row"
    assert StrategyEvent.objects.filter(strategy="slow", kind="paused").count() == 1
    assert Tick.objects.filter(status="done").count() == 3
    world.clock.advance(timedelta(seconds=60))
    assert due(world) == []


def test_one_quick_tick_forgives_earlier_overruns(world):
    world.strategy("slow", "BTC", behaviour="idle")
    StrategyRow.objects.update(overruns=2)
    run(world)
    assert StrategyRow.objects.get().overruns == 0


def test_a_refusal_is_recorded_and_nothing_is_reserved(world):
    world.strategy("turtle", "BTC", weight=0.5)
    TradingState.objects.update(mode="halted")
    run(world)
    tick, order = Tick.objects.get(), Order.objects.get()
    assert (tick.placed, tick.refused) == (0, 1)
    assert tick.report["refusals"][0]["code"] == "TRADING_HALTED"
    assert (order.status, order.refusal_code, order.reserved) == ("refused", "TRADING_HALTED", 0)
    assert not ExposureCounter.objects.filter(used__gt=0).exists()


def test_old_market_data_opens_nothing(world):
    world.strategy("turtle", "BTC", weight=0.5)
    world.clock.advance(timedelta(seconds=30))
    run(world)
    assert Order.objects.get().refusal_code == "DATA_TOO_OLD"


def test_no_market_data_at_all_places_nothing(world):
    world.strategy("turtle", "BTC", weight=0.5)
    world.redis.flushdb()
    run(world)
    assert Tick.objects.get().status == "done"
    assert not Order.objects.exists()


def test_redis_down_fails_the_tick_with_an_event_and_sends_nothing(world):
    world.strategy("turtle", "BTC", weight=0.5)
    ids = due(world)
    import redis

    from apps.exchanges.market_data.cache import MarketCache

    away = MarketCache(redis.Redis(host="127.0.0.1", port=1, socket_timeout=0.2))
    run_ticks(ids, "worker-1", clock=world.clock, cache=away)
    assert Tick.objects.get().status == "failed"
    assert StrategyEvent.objects.filter(kind="no_market_data").count() == 1
    assert not Order.objects.exists()


def test_a_strategy_that_cannot_be_recorded_does_not_take_the_shard_with_it(world, monkeypatch):
    world.strategy("bad", "BTC", weight=0.5)
    world.strategy("good", "ETH", weight=0.5)

    def choke(*, entries, commands, now):
        if any(entry.strategy == "bad" for entry in entries):
            raise ValueError("will not be written")
        return orders_record(entries=entries, commands=commands, now=now)

    monkeypatch.setattr(record_module, "orders_record", choke)
    run(world)
    assert dict(Tick.objects.values_list("strategy__slug", "status")) == {"bad": "failed", "good": "done"}
    assert list(Order.objects.values_list("strategy", flat=True)) == ["good"]
    assert (
        sum(ExposureCounter.objects.filter(scope_kind="strategy", scope_key="bad").values_list("used", flat=True)) == 0
    )


def test_a_position_is_protected_and_the_exit_reduces(world):
    row = world.strategy("turtle", "BTC", weight=0.5, stop=48_000)
    Position.objects.create(
        account=world.account, strategy="turtle", instrument=world.instruments["BTC"],
        quantity=D("0.1"), cost=D(5_000), updated_at=NOW,
    )  # fmt: skip
    run(world)
    stop = Order.objects.get()
    assert (stop.purpose, stop.order_type, stop.side, stop.reserved) == ("protective", "stop", "sell", 0)
    assert stop.trigger_price == D(48_000)
    assert stop.valid_until > Tick.objects.get().deadline
    StrategyRow.objects.filter(pk=row.pk).update(parameters={"weight": 0.0})
    tick = tick_again(world)
    leaving = Order.objects.exclude(pk=stop.pk).get()
    assert (leaving.purpose, leaving.side, leaving.quantity) == ("reducing", "sell", D("0.1"))
    assert tick.placed == 1


def test_resting_quotes_are_amended_and_pulled_through_commands(world):
    world.strategy("maker", "BTC", behaviour="quotes")
    run(world)
    assert Order.objects.filter(status="approved").count() == 2
    Order.objects.update(status="open")
    world.clock.advance(timedelta(seconds=60))
    world.mark_equity()
    world.book("BTC", 50_100.0)
    run(world)
    assert sorted(OrderCommand.objects.values_list("kind", "price")) == [("amend", D(50_090)), ("amend", D(50_110))]
    assert Tick.objects.latest("pk").amended == 2


def test_a_size_is_fixed_when_its_signal_first_appears(world):
    world.strategy("turtle", "BTC", weight=0.5)
    run(world)
    Order.objects.update(status="filled", reserved=0)
    Position.objects.create(
        account=world.account, strategy="turtle", instrument=world.instruments["BTC"],
        quantity=D("0.1"), cost=D(5_000), updated_at=NOW,
    )  # fmt: skip
    world.clock.advance(timedelta(seconds=60))
    world.mark_equity()
    world.book("BTC", 80_000.0)
    run(world)
    assert Order.objects.count() == 1
    assert SignalSize.objects.get().quantity == D("0.1")


def test_the_number_of_queries_does_not_grow_with_the_strategies(world):
    world.strategy("first", "BTC", weight=0.1)
    world.strategy("second", "ETH", weight=0.1)
    ids = due(world)
    with CaptureQueriesContext(
        connection,
    ) as one:
        run(world, ids[:1])
    with CaptureQueriesContext(connection) as two:
        run(world, ids[1:])
    counts = len(one), len(two)
    for number in range(10):
        symbol = f"C{number}"
        world.instruments[symbol] = world._instrument(symbol)
        world.strategy(f"more-{number}", symbol, weight=0.1)
    world.clock.advance(timedelta(seconds=60))
    world.mark_equity()
    for symbol in world.instruments:
        world.book(symbol, 50_000.0)
    ids = due(world)
    assert len(ids) == 12
    with CaptureQueriesContext(connection) as many:
        run(world, ids)
    assert Order.objects.filter(status="approved").count() == 12
    assert len(many) <= max(counts) + 4


def test_a_sizing_rule_set_by_a_person_binds_the_next_tick(world):
    world.strategy("turtle", "BTC", weight=0.5, leverage=D(2))
    run(world)
    assert SignalSize.objects.get().quantity == D("0.196")  # the share of one asset: 10,000, less room for slippage
    Order.objects.update(status="cancelled", reserved=0)
    SignalSize.objects.all().delete()
    rule = SizingRule(SizingMethod.FIXED_FRACTION, 0.3)
    sizing_set("turtle", rule, actor="ann", now=NOW)
    world.clock.advance(timedelta(seconds=60))
    world.mark_equity()
    world.book("BTC", 50_000.0)
    run(world)
    assert SignalSize.objects.get().quantity == D("0.03")  # half of 0.3 x 10,000 at 50,000


def test_a_rule_without_the_bars_it_looks_at_sizes_nothing_says_so_and_has_them_streamed(world):
    row = world.strategy("turtle", "BTC", weight=0.5)
    sizing_set("turtle", SizingRule(SizingMethod.REALISED, 0.2, bars=20), actor="ann", now=NOW)
    run(world)
    assert not Order.objects.exists()
    assert "realised: too few recent bars" in str(Tick.objects.get().report)
    hours = DataWish.objects.filter(owner="turtle", interval_seconds=3_600)
    assert hours.get().bars == 21
    strategy_disable(row.pk, actor="test", now=NOW, clock=world.clock)
    assert not hours.exists()
    strategy_enable(row.pk, actor="test", now=NOW)
    assert hours.get().bars == 21
