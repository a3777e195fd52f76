"""What a worker does for a run: take a trial, try it, store it; draw the next ones when none is left; again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from celery.exceptions import SoftTimeLimitExceeded

from apps.strategies.models import OPEN_TRIALS, OptimisationRun, OptimisationStatus, TrialStatus
from apps.strategies.optimise.ground import Ground, ground_of
from apps.strategies.optimise.leasing import Claim, LeaseLost, trial_claim
from apps.strategies.optimise.plan import Plan, plan_of_json
from apps.strategies.optimise.proposing import trials_propose
from apps.strategies.optimise.summary import summary_of
from apps.strategies.optimise.trying import Tried, try_point
from apps.strategies.orchestrator.loader import load
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue, TradingError

logger = logging.getLogger(__name__)

# How long a worker waits for trials that others have before it looks again.
LOOK_AGAIN_S = 0.1
TOO_LONG = "it took longer than a worker may"


@dataclass(frozen=True, slots=True)
class Job:
    """A run as a worker has it before it: the plan, what it is tried on, and whose name is on the work."""

    run_id: int
    plan: Plan
    ground: Ground
    worker: str
    clock: Clock


def work(run_id: int, worker: str, clock: Clock, enough: Callable[[], bool]) -> bool:
    """Work at a run until `enough` says so or nothing is left to do; return whether something is left.

    What stands in the way of the whole run (data or code that are not those it began with) ends it as failed.
    """
    run = OptimisationRun.objects.get(pk=run_id)
    if not _started(run, clock):
        return False
    try:
        plan = plan_of_json(run.plan)
        _require_code(run, plan)
        job = Job(run_id, plan, ground_of(plan, run.data_hash), worker, clock)
    except TradingError as error:
        _end(run_id, OptimisationStatus.FAILED, clock, error=str(error))
        return False
    while not enough():
        if not _step(job):
            return False
    return True


def _step(job: Job) -> bool:
    """Do one thing; return whether the run goes on."""
    claim = trial_claim(job.run_id, job.worker, job.clock)
    if claim is not None:
        _try(job, claim)
        return True
    if trials_propose(job.run_id):
        return True
    run = OptimisationRun.objects.get(pk=job.run_id)
    if run.status != OptimisationStatus.RUNNING:
        return False
    if run.trials.count() == run.size and not run.trials.filter(status__in=OPEN_TRIALS).exists():
        _end(job.run_id, OptimisationStatus.DONE, job.clock, report=summary_of(run, job.plan, job.ground), error="")
        return False
    threading.Event().wait(LOOK_AGAIN_S)
    return True


def _try(job: Job, claim: Claim) -> None:
    try:
        claim.finish(_tried(job, claim))
    except LeaseLost:
        logger.info("trial %s of optimisation %s was cancelled or taken over", claim.number, job.run_id)


def _tried(job: Job, claim: Claim) -> Tried:
    try:
        return try_point(job.plan, job.ground, claim.parameters, claim.progress)
    except LeaseLost:
        raise
    except SoftTimeLimitExceeded:
        return Tried(TrialStatus.FAILED, TOO_LONG)
    except Exception as error:
        # Whatever a strategy raises with odd parameters is an answer about them; the search goes on.
        logger.exception("trial %s of optimisation %s failed", claim.number, job.run_id)
        return Tried(TrialStatus.FAILED, f"{type(error).__name__}: {error}")


def _started(run: OptimisationRun, clock: Clock) -> bool:
    queued = OptimisationRun.objects.filter(pk=run.pk, status=OptimisationStatus.QUEUED)
    started = queued.update(status=OptimisationStatus.RUNNING, started_at=run.started_at or clock.now())
    return bool(started) or OptimisationRun.objects.filter(pk=run.pk, status=OptimisationStatus.RUNNING).exists()


def _require_code(run: OptimisationRun, plan: Plan) -> None:
    found = load(plan.request.kind, dict(plan.request.parameters)).code_hash
    if found != run.code_hash:
        raise InvalidValue("code", found[:12], f"the code the run began with ({run.code_hash[:12]}); start a new run")


def _end(run_id: int, status: OptimisationStatus, clock: Clock, **fields: object) -> None:
    """End a running run; whoever comes second changes nothing."""
    running = OptimisationRun.objects.filter(pk=run_id, status=OptimisationStatus.RUNNING)
    running.update(status=status, finished_at=clock.now(), **fields)
