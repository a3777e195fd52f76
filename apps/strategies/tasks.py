"""Tasks of the strategy floor."""

from __future__ import annotations

import os
import socket

from celery import shared_task

from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.tick import run_ticks
from moondev.celery import TradingTask
from moondev.domain.clock import ReplayClock, process_clock


# The limits end what the watchdog cannot: a strategy that is stuck outside Python.
@shared_task(base=TradingTask, name="strategies.tick", soft_time_limit=20, time_limit=30)
def tick(tick_ids: list[int]) -> None:
    """Run a shard of due ticks; what another worker has taken is left alone."""
    run_ticks(tick_ids, f"{socket.gethostname()}:{os.getpid()}")


@shared_task(base=TradingTask, name="strategies.dispatch_cadence")
def dispatch_cadence(seconds: int) -> None:
    """Make strategies of one cadence due; in a replay bars do that, for beat knows no replayed time."""
    clock = process_clock()
    if not isinstance(clock, ReplayClock):
        dispatch(due_by_cadence(seconds, clock.now()), clock)
