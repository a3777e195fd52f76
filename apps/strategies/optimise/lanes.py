"""A run on the research queue: a group of messages, each a lane on which one worker after the other does a chunk.

A chunk lasts about a minute and sends the next of its lane, so that a long search never keeps a backtest waiting for
longer, and no message is held for long. Messages carry no work, only the number of the run: trials are rows.
"""

from __future__ import annotations

import logging
from functools import partial

from celery import group
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.strategies.models import OptimisationRun, Trial, TrialStatus
from apps.strategies.optimise.working import work
from moondev.celery import app, wake
from moondev.domain.clock import Clock, monotonic

logger = logging.getLogger(__name__)

TASK = "strategies.optimise"
CHUNK_S = 60.0


def send_lanes(run_id: int, lanes: int) -> None:
    """Publish one message per lane, as a group, once the open transaction has committed.

    When the broker is down the run stays: it is found again.
    """
    if lanes:
        transaction.on_commit(partial(_publish, run_id, lanes))


def run_chunk(run_id: int, lane: int, chunk: int, worker: str, clock: Clock) -> None:
    """Work at a run for a chunk, then leave the rest to the next of this lane.

    One lane too many (a message that was delivered twice makes one) ends itself.
    """
    if _busy(run_id, clock) >= OptimisationRun.objects.get(pk=run_id).lanes:
        return
    began = monotonic()
    if work(run_id, worker, clock, lambda: monotonic() - began > CHUNK_S):
        wake(TASK, run=run_id, lane=lane, chunk=chunk + 1)


def _busy(run_id: int, clock: Clock) -> int:
    """Return how many workers hold trials of the run."""
    held = Trial.objects.filter(run=run_id, status=TrialStatus.RUNNING, leased_until__gt=clock.now())
    return held.values("worker").distinct().count()


def _publish(run_id: int, lanes: int) -> None:
    chunks = [
        app.signature(TASK, kwargs={"run": run_id, "lane": lane, "chunk": 1}, immutable=True)
        for lane in range(1, lanes + 1)
    ]
    try:
        group(chunks).apply_async(ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("optimisation %s is stored, but nobody was told; it is found again: %s", run_id, error)
