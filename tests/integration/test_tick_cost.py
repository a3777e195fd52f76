"""What a shard of ticks costs: printed, never asserted as a time (``pytest -s -m bench``)."""

import resource
import time
from datetime import timedelta
from statistics import median

import pytest

from apps.exchanges.models import Order
from apps.strategies.models import Tick
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.tick import run_ticks
from tests.integration.tick_world import World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.bench, pytest.mark.django_db(transaction=True)]
STRATEGIES = 25


@pytest.mark.parametrize("behaviour", ["idle", "target"])
def test_prints_the_processor_time_of_a_shard(monkeypatch, behaviour, capsys):
    register(monkeypatch)
    client = own_redis()
    world = World(client, tuple(f"C{number}" for number in range(STRATEGIES)))
    for number in range(STRATEGIES):
        world.strategy(f"s-{number}", f"C{number}", behaviour=behaviour, weight=0.01, signal_id="s")
    costs = []
    for _ in range(12):
        world.clock.advance(timedelta(seconds=60))
        world.mark_equity()
        for symbol in world.instruments:
            world.book(symbol, 50_000.0)
        Order.objects.update(status="cancelled", reserved=0)
        dispatch(due_by_cadence(60, world.clock.now()), world.clock)
        ids = list(Tick.objects.filter(status="due").values_list("pk", flat=True))
        cpu, wall = _cpu_ms(), time.perf_counter()
        run_ticks(ids, "bench", clock=world.clock, cache=world.cache)
        costs.append((_cpu_ms() - cpu, (time.perf_counter() - wall) * 1000))
    assert Tick.objects.filter(status="done").count() == 12 * STRATEGIES
    stages = Tick.objects.latest("pk").report["stages_ms"]
    client.close()
    with capsys.disabled():
        cpu, wall = (median(values) for values in zip(*costs[2:], strict=True))
        print(f"\n{behaviour}: {STRATEGIES} strategies: {cpu:.1f} ms CPU, {wall:.1f} ms wall; last stages {stages}")  # noqa: T201  its purpose


def _cpu_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000
