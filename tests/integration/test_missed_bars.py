"""A bar that nobody decided on comes again while it is the newest; what expired is never executed."""

from datetime import timedelta

import pytest

from apps.strategies.models import StrategyRow, Tick, Trigger
from apps.strategies.orchestrator.dispatch import dispatch, expire_overdue
from apps.strategies.orchestrator.due import Due, Enabled
from apps.strategies.orchestrator.missed import TRIES, missed_bars
from tests.integration.tick_world import NOW, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

BAR = "bar:hyperliquid:BTC:60:1"


@pytest.fixture
def world(monkeypatch, transactional_db):
    register(monkeypatch)
    client = own_redis()
    made = World(client)
    row = made.strategy("a", "BTC", trigger=Trigger.BAR)
    type(row).objects.filter(pk=row.pk).update(cadence_seconds=60, deadline_ms=1_000)
    made.row_id = row.pk
    yield made
    client.close()


def first_tick(world) -> None:
    row = StrategyRow.objects.get(pk=world.row_id)
    strategy = Enabled(row.pk, row.trigger, row.cadence_seconds, row.book_move_bps, row.priority, row.deadline_ms, 0)
    dispatch([Due(strategy, "bar", BAR, NOW)], world.clock)


def lose(world) -> None:
    """Let the outstanding tick pass its deadline."""
    world.clock.advance(timedelta(milliseconds=1_100))
    assert expire_overdue(world.clock.now()) == 1


def test_a_lost_bar_is_due_again_under_a_new_name(world) -> None:
    first_tick(world)
    assert missed_bars(world.clock.now()) == []
    lose(world)
    (again,) = missed_bars(world.clock.now())
    assert (again.event, again.at) == (f"{BAR}~2", NOW)
    dispatch([again], world.clock)
    assert list(Tick.objects.order_by("pk").values_list("event", "status")) == [(BAR, "expired"), (f"{BAR}~2", "due")]


def test_a_bar_is_tried_a_few_times_and_then_left(world) -> None:
    first_tick(world)
    for _ in range(TRIES - 1):
        lose(world)
        dispatch(missed_bars(world.clock.now()), world.clock)
    lose(world)
    assert missed_bars(world.clock.now()) == []
    assert Tick.objects.count() == TRIES


def test_a_bar_that_is_not_the_newest_any_more_is_left(world) -> None:
    first_tick(world)
    lose(world)
    world.clock.advance(timedelta(seconds=60))
    assert missed_bars(world.clock.now()) == []


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_bar_that_was_decided_on_is_not_due_again(world, status) -> None:
    first_tick(world)
    Tick.objects.update(status=status)
    assert missed_bars(world.clock.now()) == []


@pytest.mark.parametrize("change", [{"enabled": False}, {"paused_reason": "by hand"}, {"trigger": Trigger.INTERVAL}])
def test_a_strategy_that_does_not_wait_for_bars_gets_none(world, change) -> None:
    first_tick(world)
    lose(world)
    StrategyRow.objects.filter(pk=world.row_id).update(**change)
    assert missed_bars(world.clock.now()) == []
