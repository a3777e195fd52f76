"""A worker takes the ticks it was told of and, when it has room, what else is waiting."""

from datetime import timedelta

import pytest

from apps.strategies.models import StrategyRow, Tick
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.leasing import BATCH, ticks_lease
from tests.integration.tick_world import World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(monkeypatch, transactional_db):
    register(monkeypatch)
    client = own_redis()
    yield World(client)
    client.close()


def due_ticks(world, count: int) -> list[int]:
    for number in range(count):
        world.instruments[f"X{number}"] = world._instrument(f"X{number}")
        world.strategy(f"s{number:02}", f"X{number}")
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    return list(Tick.objects.order_by("pk").values_list("pk", flat=True))


def leased(ids: list[int], world) -> list[int]:
    return [tick.pk for tick in ticks_lease(ids, "w", world.clock.now())]


def test_takes_along_what_waits_and_no_more_than_a_batch(world):
    ids = due_ticks(world, BATCH + 3)
    assert leased(ids[-1:], world) == [*ids[: BATCH - 1], ids[-1]]
    assert leased(ids, world) == ids[BATCH - 1 : -1]
    assert leased(ids, world) == []


def test_a_full_message_takes_all_it_was_told_of_and_nothing_else(world):
    ids = due_ticks(world, BATCH + 3)
    assert leased(ids[: BATCH + 2], world) == ids[: BATCH + 2]


def test_takes_along_nothing_less_urgent_and_nobody_who_was_slow(world):
    ids = due_ticks(world, 4)
    StrategyRow.objects.filter(slug="s01").update(priority=4)
    StrategyRow.objects.filter(slug="s02").update(overruns=1)
    assert leased(ids[:1], world) == [ids[0], ids[3]]
    assert leased(ids[2:3], world) == [ids[2]]
    assert leased(ids[1:2], world) == [ids[1]]


def test_a_message_that_comes_twice_takes_nothing_the_second_time(world):
    ids = due_ticks(world, 3)
    assert leased(ids[:1], world) == ids
    assert leased(ids[:1], world) == []


def test_a_tick_past_its_deadline_is_not_taken_along(world):
    ids = due_ticks(world, 2)
    Tick.objects.filter(pk=ids[1]).update(deadline=world.clock.now() - timedelta(seconds=1))
    assert leased(ids[:1], world) == ids[:1]
