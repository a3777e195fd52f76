"""Beat's table follows the strategies: one entry per cadence, the housekeeping beside them."""

import json
from decimal import Decimal

import pytest
from django_celery_beat.models import PeriodicTask

from apps.exchanges.models import DataWish
from apps.strategies.models import StrategyEvent, StrategyInstrument, StrategyRow
from apps.strategies.orchestrator.schedule import PREFIX, schedule_sync
from apps.strategies.services import (
    strategy_create,
    strategy_disable,
    strategy_enable,
    strategy_resume,
    strategy_update,
)
from celeryconfig import route_task
from moondev.domain.errors import Configuration, InvalidValue
from tests.integration.tick_world import NOW, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def world(monkeypatch, transactional_db):
    register(monkeypatch)
    client = own_redis()
    yield World(client)
    client.close()


def cadences():
    rows = PeriodicTask.objects.filter(task="strategies.dispatch_cadence").order_by("interval__every")
    return [(row.interval.every, json.loads(row.kwargs)) for row in rows]


def test_every_distinct_cadence_of_an_enabled_strategy_has_one_entry(world):
    fast = world.strategy("fast", "BTC", cadence_seconds=5)
    world.strategy("slow", "ETH", cadence_seconds=60)
    world.instruments["X"], world.instruments["Y"] = world._instrument("X"), world._instrument("Y")
    world.strategy("slow-too", "X", cadence_seconds=60)
    world.strategy("bars", "Y", trigger="bar")
    assert cadences() == [(5, {"seconds": 5}), (60, {"seconds": 60})]
    strategy_disable(fast.pk, actor="test", now=NOW, clock=world.clock)
    assert cadences() == [(60, {"seconds": 60})]
    strategy_update(StrategyRow.objects.get(slug="slow").pk, actor="test", now=NOW, cadence_seconds=7)
    assert cadences() == [(7, {"seconds": 7}), (60, {"seconds": 60})]


def test_syncing_twice_changes_nothing_and_leaves_other_entries_alone(world):
    world.strategy("fast", "BTC", cadence_seconds=5)
    mine = PeriodicTask.objects.create(
        name="mine", task="celery.backend_cleanup", interval=PeriodicTask.objects.first().interval
    )
    assert schedule_sync() == 0
    assert PeriodicTask.objects.filter(pk=mine.pk).exists()


def test_every_entry_has_a_queue_and_an_expiry():
    schedule_sync()
    rows = PeriodicTask.objects.filter(name__startswith=PREFIX)
    assert {row.task for row in rows} >= {"exchanges.orders_reconcile", "risk.exposures_recompute"}
    for row in rows:
        assert route_task(row.task, (), json.loads(row.kwargs), {})["queue"]
        assert row.expire_seconds == row.interval.every


def test_enabling_claims_the_instrument_and_names_who_has_it(world):
    first = world.strategy("first", "BTC")
    second = world.strategy("second", "BTC", enable=False)
    with pytest.raises(InvalidValue, match=r"hyperliquid:BTC.*no other enabled strategy trades on paper-1; first does"):
        strategy_enable(second.pk, actor="test", now=NOW)
    assert not StrategyRow.objects.get(slug="second").enabled
    strategy_disable(first.pk, actor="test", now=NOW, clock=world.clock)
    assert strategy_enable(second.pk, actor="test", now=NOW).enabled
    assert StrategyInstrument.objects.filter(exclusive=True).count() == 1


def test_a_shared_account_lets_two_strategies_have_one_instrument(world):
    world.account.shared = True
    world.account.save()
    world.strategy("first", "BTC")
    assert world.strategy("second", "BTC").enabled


def test_enabling_has_the_market_data_streamed_and_disabling_ends_it(world):
    row = world.strategy("first", "BTC", trigger="book", book_move_bps=D(3))
    wishes = DataWish.objects.filter(owner="first").values_list("interval_seconds", "bars", "book_move_bps")
    assert sorted(wishes) == [(0, 0, 3.0), (60, 5, 3.0)]
    strategy_disable(row.pk, actor="test", now=NOW, clock=world.clock)
    assert not DataWish.objects.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {"weight": "heavy"}}, "weight is 'heavy'; allowed: a number"),
        ({"parameters": {"wait": 1}}, "wait is 1; allowed: only"),
        ({"slug": "Not A Slug"}, "slug is 'Not A Slug'"),
        ({"instruments": []}, "instruments is 'none'; allowed: at least one instrument"),
        ({"capital": D(-1)}, "capital is Decimal"),
        ({"priority": 10}, "priority is 10"),
        ({"trigger": "moon"}, "trigger is 'moon'"),
    ],
)
def test_refuses_a_setting_that_makes_no_sense_by_name(world, change, message):
    wanted = {
        "slug": "new", "kind": "scripted", "parameters": {}, "account": world.account,
        "instruments": [world.instruments["BTC"]], "actor": "test", "now": NOW, "capital": D(1000),
    } | change  # fmt: skip
    with pytest.raises(InvalidValue, match=message):
        strategy_create(**wanted)
    assert not StrategyRow.objects.exists()


def test_refuses_an_unknown_kind_naming_those_there_are(world):
    with pytest.raises(Configuration, match="turtle_trend"):
        strategy_create(
            slug="new", kind="martingale", parameters={}, account=world.account,
            instruments=[world.instruments["BTC"]], actor="test", now=NOW, capital=D(1000),
        )  # fmt: skip


def test_new_parameters_are_a_new_version_and_the_same_ones_are_not(world):
    row = world.strategy("first", "BTC")
    assert strategy_update(row.pk, actor="test", now=NOW, parameters={"weight": 0.2}).parameters_version == 2
    assert strategy_update(row.pk, actor="test", now=NOW, parameters={"weight": 0.2}).parameters_version == 2
    with pytest.raises(InvalidValue, match="weight"):
        strategy_update(row.pk, actor="test", now=NOW, parameters={"weight": "?"})
    assert StrategyRow.objects.get().parameters["weight"] == 0.2


def test_instruments_change_only_while_nobody_needs_them(world):
    row = world.strategy("first", "BTC")
    with pytest.raises(InvalidValue, match="while the strategy is disabled"):
        strategy_update(row.pk, actor="test", now=NOW, instruments=[world.instruments["ETH"]])
    strategy_disable(row.pk, actor="test", now=NOW, clock=world.clock)
    strategy_update(row.pk, actor="test", now=NOW, instruments=[world.instruments["ETH"]])
    assert StrategyInstrument.objects.get().instrument.symbol == "ETH"


def test_resuming_forgives_and_every_change_leaves_an_event(world):
    row = world.strategy("first", "BTC")
    StrategyRow.objects.update(paused_reason="too slow", overruns=3)
    row = strategy_resume(row.pk, actor="anna", now=NOW)
    assert (row.paused_reason, row.overruns) == ("", 0)
    kinds = list(StrategyEvent.objects.order_by("pk").values_list("kind", "message"))
    stage = ("stage", "by test: research to paper: enabled where gates may be skipped")
    assert kinds == [("created", "by test"), stage, ("enabled", "by test"), ("resumed", "by anna")]
