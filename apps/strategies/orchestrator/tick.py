"""The whole flow of a tick on one screen; read this file first.

lease -> load (view, positions, orders, limits) -> decide -> size, plan, review -> record -> wake the senders
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from apps.exchanges.market_data.cache import MarketCache, market_cache
from apps.strategies.orchestrator import tracing
from apps.strategies.orchestrator.counted import decision_count
from apps.strategies.orchestrator.decide import decide
from apps.strategies.orchestrator.leasing import ticks_lease
from apps.strategies.orchestrator.load import Health, load_shard
from apps.strategies.orchestrator.record import record
from apps.strategies.orchestrator.sizes import KnownSize, SignalKey, known_sizes
from apps.strategies.orchestrator.stages import make_ready
from apps.strategies.orchestrator.telling import working_at
from apps.strategies.orchestrator.venues import venues_troubled
from apps.strategies.orchestrator.work import Decided, Failed, Ready, Work
from moondev.domain.clock import Clock, process_clock


def run_ticks(
    tick_ids: Sequence[int],
    worker: str,
    *,
    clock: Clock | None = None,
    cache: MarketCache | None = None,
    health: Health = venues_troubled,
) -> None:
    """Run one shard of due ticks as `worker`; safe to call twice, at once, and to die in.

    `clock` and `cache` default to this process's own; `health` says which venues are not well.
    """
    clock, cache = clock or process_clock(), cache or market_cache()
    started = time.perf_counter()
    ticks = ticks_lease(tick_ids, worker, clock.now())
    if not ticks:
        return
    works, failed = load_shard(ticks, cache, clock.now(), health)
    load_ms = (time.perf_counter() - started) * 1000
    tracing.loaded(ticks, load_ms)
    answers = [decision_count(_decided(work), clock) for work in works]
    decided = [answer for answer in answers if isinstance(answer, Decided)]
    known = known_sizes(decided)
    planned = [_ready(one, known) for one in decided]
    record(
        [replace(one, stages_ms={"load": load_ms, **one.stages_ms}) for one in planned if isinstance(one, Ready)],
        [*failed, *(one for one in (*answers, *planned) if isinstance(one, Failed))],
        clock,
    )


def _decided(work: Work) -> Decided | Failed:
    with working_at(work.tick):
        answer = decide(work)
    tracing.decided(answer)
    return answer


def _ready(one: Decided, known: Mapping[SignalKey, KnownSize]) -> Ready | Failed:
    with working_at(one.work.tick):
        ready = make_ready(one, known)
    tracing.planned(ready)
    return ready
