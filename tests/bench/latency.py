"""Latency: fifty strategies, spread over a second and in one burst, beside the floor of the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from apps.exchanges.market_data.cache import EVENTS_KEY, redis_client
from apps.exchanges.models import CommandStatus, Order, OrderCommand
from apps.strategies.models import StrategyRow, Tick, TickStatus
from moondev.domain.clock import process_clock
from tests.bench.figures import Spread, ratio
from tests.bench.floor import measure_floor
from tests.bench.ingestion import measure_ingestion
from tests.bench.machine import Usage
from tests.bench.pace import paced
from tests.bench.plan import WorldPlan
from tests.bench.results import Row, Section
from tests.bench.servers import Servers
from tests.bench.strategies import make_makers, resting
from tests.bench.world import World, world_of

STRATEGIES = 50
PLAN = WorldPlan(accounts=5, coins=STRATEGIES)
BURST_EVERY_S = 2.0
_SETTLE_S = 10.0
_IDLE_S = 5.0


@dataclass(frozen=True, slots=True)
class Found:
    """Milliseconds of one phase: one sample per tick, and per order or command for what reaches the venue."""

    signal: list[float]
    tick: list[float]
    wait: list[float]
    submission: list[float]
    end_to_end: list[float]
    unacknowledged: int
    ticks_not_done: int


def run(servers: Servers, seconds: float) -> list[Section]:
    """Measure everything in one world."""
    with world_of(PLAN, servers) as world:
        rows = make_makers(world)
        world.wait_for_market_data()
        _make_quotes_rest(world, rows)
        idle = _idle(world)
        hop, floor = measure_floor(world, min(seconds, 20.0), per_second=STRATEGIES)
        ingestion = measure_ingestion(world, min(seconds, 10.0))
        stopwatch = world.stopwatch()
        spread = _phase(world, "spread", lambda: _spread(rows, seconds))
        burst = _phase(world, "burst", lambda: _bursts(rows, max(int(seconds / BURST_EVERY_S), 3)))
        usage = stopwatch.read()
    quotient = ratio(spread[-1].spread.median, floor.spread.median)
    note = f"{spread[-1].note}; median is {quotient:.2f} x floor" if quotient else spread[-1].note
    spread[-1] = replace(spread[-1], note=note, facts={**spread[-1].facts, "median_over_floor": quotient})
    setting = f"{STRATEGIES} market makers, one per coin; {PLAN.setting}"
    return [Section("latency", setting, [idle, hop, floor, ingestion, *spread, *burst], usage)]


def _make_quotes_rest(world: World, rows: Sequence[StrategyRow]) -> None:
    """Tick everybody until their quotes rest: what follows is then mostly amends."""

    def all_rest() -> bool:
        _publish(rows, f"warm-{time.monotonic_ns()}")
        time.sleep(1.0)
        return resting(list(rows)) >= 0.8 * len(rows)

    world.wait("quotes of the strategies", all_rest)


def _idle(world: World) -> Row:
    """Return what the platform uses while nobody trades; it is part of the CPU of every row below."""
    stopwatch = world.stopwatch()
    time.sleep(_IDLE_S)
    usage = stopwatch.read()
    busy = usage.cpu_s / usage.wall_s
    note = f"{busy:.2f} of a core: {1000 * busy / STRATEGIES:.1f} ms of every operation at {STRATEGIES}/s"
    return Row("platform idle", Spread.of([]), usage, note=note)


def _phase(world: World, name: str, drive: Callable[[], None]) -> list[Row]:
    began, stopwatch = process_clock().now(), world.stopwatch()
    drive()
    time.sleep(1.0)
    usage = stopwatch.read()
    _settle(world)
    return _rows_of(name, _found(name, began), usage)


def _settle(world: World) -> None:
    deadline = time.monotonic() + _SETTLE_S
    while Tick.objects.filter(status__in=[TickStatus.DUE, TickStatus.RUNNING]).exists():
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
    time.sleep(1.0)


def _spread(rows: Sequence[StrategyRow], seconds: float) -> None:
    """Make one strategy due every 20 ms, each once a second."""
    client = redis_client()
    keys = [_key(row) for row in rows]
    count = round(seconds * len(keys))
    paced(count, len(keys), lambda number: _add(client, keys[number % len(keys)], f"spread-{number}"))


def _bursts(rows: Sequence[StrategyRow], count: int) -> None:
    """Make all strategies due at one moment, again and again."""
    paced(count, 1 / BURST_EVERY_S, lambda number: _publish(rows, f"burst-{number}"))


def _publish(rows: Iterable[StrategyRow], name: str) -> None:
    keys = [_key(row) for row in rows]
    pipe = redis_client().pipeline(transaction=True)
    for number, key in enumerate(keys):
        _add(pipe, key, f"{name}-{number}")
    pipe.execute()


def _add(client, key: str, event_id: str) -> None:
    """Tell the dispatcher that the book of an instrument moved, as the stream process does."""
    now = process_clock().now().isoformat()
    client.xadd(EVENTS_KEY, {"type": "book", "key": key, "interval": "", "id": event_id, "at": now})


def _key(row: StrategyRow) -> str:
    return row.instruments.get().key


def _found(name: str, began: datetime) -> Found:
    ticks = {
        str(pk): (due, started, finished, report, status)
        for pk, due, started, finished, report, status in Tick.objects.filter(
            event__startswith=f"{name}-", due_at__gte=began
        ).values_list("pk", "due_at", "started_at", "finished_at", "report", "status")
    }
    done = [tick for tick in ticks.values() if tick[4] == TickStatus.DONE]
    stages = [tick[3]["stages_ms"] for tick in done]
    acknowledged, silent = _acknowledged(list(ticks))
    return Found(
        signal=[s["load"] + s["decide"] + s["plan"] for s in stages],
        tick=[_ms(tick[1], tick[2]) for tick in done],
        wait=[_ms(tick[0], tick[1]) for tick in done],
        submission=[_ms(created, at) for _, created, at in acknowledged],
        end_to_end=[_ms(ticks[tick_id][0], at) for tick_id, _, at in acknowledged],
        unacknowledged=silent,
        ticks_not_done=len(ticks) - len(done),
    )


def _acknowledged(tick_ids: Sequence[str]) -> tuple[list[tuple[str, datetime, datetime]], int]:
    """Return (tick, created, acknowledged) of all orders and commands, and how many the venue never answered."""
    fields = ("tick_id", "created_at", "acknowledged_at", "status")
    orders = Order.objects.filter(tick_id__in=tick_ids).exclude(status="refused").values_list(*fields)
    sent = [(tick, created, at) for tick, created, at, _ in orders]
    commands = OrderCommand.objects.filter(tick_id__in=tick_ids)
    sent += [
        (tick, created, at if status == CommandStatus.DONE else None)
        for tick, created, at, status in commands.values_list("tick_id", "created_at", "done_at", "status")
    ]
    heard = [(tick, created, at) for tick, created, at in sent if at is not None]
    return heard, len(sent) - len(heard)


def _rows_of(name: str, found: Found, usage: Usage) -> list[Row]:
    ticks = len(found.tick)
    note = f"{ticks} ticks, {found.ticks_not_done} not done, {found.unacknowledged} requests without acknowledgement"
    return [
        Row(f"{name}: due -> leased", Spread.of(found.wait), usage, note="event, dispatcher, hop"),
        Row(f"{name}: signal", Spread.of(found.signal), usage, note="view -> plan: load + decide + plan"),
        Row(
            f"{name}: tick",
            Spread.of(found.tick),
            usage,
            usage.cpu_ms_per(ticks),
            "leased -> recorded; CPU of all per tick",
        ),
        Row(f"{name}: submission", Spread.of(found.submission), usage, note="row -> venue acknowledged"),
        Row(
            f"{name}: end to end",
            Spread.of(found.end_to_end),
            usage,
            usage.cpu_ms_per(len(found.end_to_end)),
            note,
            {"unacknowledged": found.unacknowledged, "ticks_not_done": found.ticks_not_done},
        ),
    ]


def _ms(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds() * 1000
