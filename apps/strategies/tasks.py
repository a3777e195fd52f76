"""Tasks of the strategy floor."""

from __future__ import annotations

import os
import socket

from celery import shared_task

from apps.strategies.backtest import services as backtests
from apps.strategies.optimise import lanes
from apps.strategies.optimise import services as optimisations
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.promotion.watch import watch
from moondev.celery import TradingTask
from moondev.domain.clock import ReplayClock, process_clock


# The limits end what the watchdog cannot: a strategy that is stuck outside Python.
@shared_task(base=TradingTask, name="strategies.tick", soft_time_limit=20, time_limit=30)
def tick(tick_ids: list[int]) -> None:
    """Run a shard of due ticks; what another worker has taken is left alone."""
    run_ticks(tick_ids, _worker())


@shared_task(base=TradingTask, name="strategies.promotion_watch")
def promotion_watch() -> None:
    """Keep the track record of strategies and demote those that left their band; safe to run twice and at once."""
    watch(process_clock().now())


@shared_task(base=TradingTask, name="strategies.dispatch_cadence")
def dispatch_cadence(seconds: int) -> None:
    """Make strategies of one cadence due; in a replay bars do that, for beat knows no replayed time."""
    clock = process_clock()
    if not isinstance(clock, ReplayClock):
        dispatch(due_by_cadence(seconds, clock.now()), clock)


# The soft limit is stored with the row as a reason; the hard one ends what does not return to Python.
@shared_task(base=TradingTask, name="strategies.backtest", soft_time_limit=285, time_limit=300)
def backtest(run_id: int) -> None:
    """Run a queued backtest; one that is over, or that another worker has, is left alone."""
    backtests.backtest_run(run_id, worker=_worker(), clock=process_clock())


@shared_task(base=TradingTask, name="strategies.backtests_resume")
def backtests_resume() -> None:
    """Wake somebody for backtests whose message or worker was lost."""
    backtests.backtests_resume(process_clock().now())


# A chunk works for a minute; the limits end a trial that goes on and on. Named so that Flower tells what runs where.
@shared_task(base=TradingTask, name="strategies.optimise", soft_time_limit=285, time_limit=300)
def optimise(run: int, lane: int, chunk: int) -> None:
    """Work at a search for a chunk; a search that is over is left alone."""
    lanes.run_chunk(run, lane, chunk, _worker(), process_clock())


@shared_task(base=TradingTask, name="strategies.optimisations_resume")
def optimisations_resume() -> None:
    """Wake workers for searches nobody works at."""
    optimisations.optimisations_resume(process_clock().now())


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
