"""Measure the floor and a single empty hop, while the platform stands idle beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from apps.exchanges.market_data.cache import redis_client
from moondev.domain.clock import process_clock
from tests.bench import floor_app
from tests.bench.figures import Spread
from tests.bench.pace import paced
from tests.bench.results import Row
from tests.bench.world import World

_WARM_UP = 40
_DRAIN_S = 20.0


def measure_floor(world: World, seconds: float, per_second: float) -> list[Row]:
    """Return the rows of one empty hop and of the floor, each at `per_second`."""
    world.supervisor.start(floor_app.floor_workers())
    try:
        world.wait("the floor's workers", _workers_listen)
        _burn_in(floor_app.hop)
        _burn_in(floor_app.first)
        hop = _measured(world, "empty Celery hop", floor_app.hop, seconds, per_second)
        floor = _measured(world, "floor", floor_app.first, seconds, per_second)
    finally:
        world.supervisor.stop(["floor-first", "floor-second"])
    what = "2 empty hops + 3 single-row commits + 1 signed request"
    return [hop, replace(floor, note=f"{what}, {floor.note}")]


def _measured(world: World, name: str, task: Any, seconds: float, per_second: float) -> Row:
    count = round(seconds * per_second)
    stopwatch = world.stopwatch()
    samples = _run(task, count, lambda send: paced(count, per_second, send))
    usage = stopwatch.read()
    note = f"{per_second:.0f}/s" + ("" if len(samples) == count else f", {count - len(samples)} not heard of")
    return Row(name, Spread.of(samples), usage, usage.cpu_ms_per(count), note)


def _burn_in(task: Any) -> None:
    """Let every pool process and thread open its connections."""
    _run(task, _WARM_UP, lambda send: paced(_WARM_UP, 100.0, send))


def _run(task: Any, count: int, drive: Callable[[Callable[[int], None]], None]) -> list[float]:
    client = redis_client()
    client.delete(floor_app.RESULTS_KEY)
    drive(lambda _number: task.apply_async((process_clock().now().timestamp(),), expires=10))
    deadline = time.monotonic() + _DRAIN_S
    while cast(int, client.llen(floor_app.RESULTS_KEY)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return [float(text) for text in cast("list[bytes]", client.lrange(floor_app.RESULTS_KEY, 0, -1))]


def _workers_listen() -> bool:
    with floor_app.app.connection_for_read() as connection, connection.channel() as channel:
        for queue in floor_app.app.conf.task_queues:
            queue(channel).declare()
        return all(
            channel.queue_declare(queue=queue.name, passive=True).consumer_count
            for queue in floor_app.app.conf.task_queues
        )
