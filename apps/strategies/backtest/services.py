"""What people do with backtests: ask, run, cancel, keep. Command line, admin, API and tasks all call these.

A request becomes a row; a message wakes a research worker, which takes the row by a lease, tells how far it is and
stores what came of it. Losing the message or the worker loses nothing: the row is found again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.honesty.peeking import require_blind
from apps.strategies.backtest.keeping import archive_put, columns_of
from apps.strategies.backtest.leasing import Lease, LeaseLost, cancel, forgotten, lease_take
from apps.strategies.backtest.record import RunRecord, record_of
from apps.strategies.backtest.requests.quoted import quotes_record
from apps.strategies.backtest.requests.request import QUOTES, BacktestRequest, request_of_json
from apps.strategies.backtest.requests.setting import prepare
from apps.strategies.backtest.shelf import require_on_shelf, shelf_folder
from apps.strategies.backtest.soundness import require_able
from apps.strategies.models import BacktestRun, BacktestStatus, StrategyRow
from apps.strategies.orchestrator.loader import load
from moondev.celery import wake
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)

TASK = "strategies.backtest"
# A message that was not taken for so long is sent once more: a queue may be long, and twice is harmless.
PATIENCE = timedelta(minutes=10)
TOO_LONG = "it took longer than a worker may: try a shorter period, or the command line, which has no limit"


def backtest_compute(
    request: BacktestRequest, folder: Path, on_progress: Callable[[float], None] | None = None
) -> RunRecord:
    """Run a request here and now; files are relative to `folder`.

    Raises InvalidValue or Configuration, before any number is computed, for data that fail the checks, parameters that
    are not allowed, fees that nobody knows and a strategy that is seen to peek.
    """
    if request.engine == QUOTES:
        return quotes_record(request, folder, on_progress)
    prepared = prepare(request, folder)
    require_able(prepared.loaded, prepared.setting)
    require_blind(prepared.loaded, prepared.setting)
    result = backtest(prepared.loaded, prepared.setting, EngineName(request.engine), on_progress)
    return record_of(result, prepared.setting, prepared.origin)


@transaction.atomic
def backtest_request(request: BacktestRequest, *, actor: str, now: datetime) -> BacktestRun:
    """Queue a backtest on data of the shelf.

    Raises InvalidValue for parameters that are not allowed and data that are not there, Configuration for a strategy
    that there is not: then nothing is queued. The data are checked by the worker.
    """
    load(request.kind, dict(request.parameters))
    require_on_shelf(request)
    run = BacktestRun.objects.create(**_asked(request, actor, now))
    wake(TASK, run_id=run.pk)
    return run


def backtest_run(run_id: int, *, worker: str, clock: Clock) -> None:
    """Run a queued backtest, unless it is over or another worker has it. What goes wrong is stored with the row."""
    lease = lease_take(run_id, worker, clock)
    if lease is None:
        return
    try:
        _run(lease)
    except LeaseLost:
        logger.info("backtest %s was cancelled or taken over", run_id)
    except (TradingError, SoftTimeLimitExceeded) as error:
        _fail(lease, TOO_LONG if isinstance(error, SoftTimeLimitExceeded) else str(error))
    except Exception as error:
        # Whatever a strategy raises is for its author to read beside the run; the worker goes on to the next one.
        logger.exception("backtest %s failed", run_id)
        _fail(lease, f"{type(error).__name__}: {error}")


@transaction.atomic
def backtest_keep(record: RunRecord, request: BacktestRequest, *, actor: str, began: datetime, now: datetime) -> int:
    """Store a run that was computed elsewhere, without the paths of its files; return its number."""
    told = replace(request, data=_bare(request.data), funding=_bare(request.funding))
    fields = {**_asked(told, actor, began), **columns_of(record)}
    run = BacktestRun.objects.create(**fields, started_at=began, finished_at=now)
    archive_put(run.pk, record)
    return run.pk


def backtest_cancel(run_id: int, *, actor: str, now: datetime) -> bool:
    """End a backtest that is queued or running. False: it was over."""
    return cancel(run_id, now, f"cancelled by {actor}")


def backtests_resume(now: datetime) -> int:
    """Send what nobody works at once more; return how many."""
    found = forgotten(now, PATIENCE)
    for run_id in found:
        wake(TASK, run_id=run_id)
    return len(found)


def _run(lease: Lease) -> None:
    run = BacktestRun.objects.get(pk=lease.run_id)
    request = request_of_json(run.request)
    require_on_shelf(request)
    record = backtest_compute(request, shelf_folder(), lease.progress)
    with transaction.atomic():
        lease.finish(error="", **columns_of(record))
        archive_put(run.pk, record)


def _fail(lease: Lease, reason: str) -> None:
    try:
        lease.finish(status=BacktestStatus.FAILED, error=reason)
    except LeaseLost:
        logger.info("backtest %s failed after it was cancelled: %s", lease.run_id, reason)


def _asked(request: BacktestRequest, actor: str, now: datetime) -> dict[str, Any]:
    strategy = StrategyRow.objects.filter(slug=request.strategy).first() if request.strategy else None
    return {
        "title": request.title,
        "kind": request.kind,
        "preset": request.preset,
        "strategy": strategy,
        "parameters_version": request.parameters_version,
        "request": request.to_json(),
        "asked_by": actor,
        "asked_at": now,
        "sent_at": now,
    }


def _bare(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names without folders: where somebody keeps their files is nobody else's business."""
    return tuple(name if name.startswith("lake:") else Path(name).name for name in names)
