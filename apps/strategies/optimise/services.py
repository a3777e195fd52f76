"""What people do with searches: start, go on, cancel. Command line, admin and tasks call these."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from apps.strategies.models import OPEN_RUNS, OptimisationRun, OptimisationStatus, Trial, TrialStatus
from apps.strategies.optimise.ground import folds_of, hash_of, load_setting
from apps.strategies.optimise.lanes import send_lanes
from apps.strategies.optimise.plan import Plan
from apps.strategies.orchestrator.loader import load
from moondev.domain.errors import InvalidValue

# A run at which nobody has worked for so long is sent once more: a queue may be long, and twice is harmless.
PATIENCE = timedelta(minutes=10)
MOST_LANES = 64


@transaction.atomic
def optimisation_start(plan: Plan, *, lanes: int, actor: str, now: datetime) -> OptimisationRun:
    """Create a run and wake `lanes` workers of the research queue; 0 lanes leave the work to whoever asked.

    Raises InvalidValue and Configuration, before anything is stored, for data that fail the checks, parameters that
    are not allowed and folds that do not fit.
    """
    if not 0 <= lanes <= MOST_LANES:
        raise InvalidValue("lanes", lanes, f"0 to {MOST_LANES}")
    loaded = load(plan.request.kind, dict(plan.request.parameters))
    setting = load_setting(plan)
    folds_of(plan, setting)
    run = OptimisationRun.objects.create(
        title=f"{plan.request.title} by {plan.sampler} for {', '.join(plan.objectives)}"[:200],
        kind=plan.request.kind,
        plan=plan.to_json(),
        size=plan.size,
        lanes=lanes,
        code_hash=loaded.code_hash,
        data_hash=hash_of(setting),
        asked_by=actor,
        asked_at=now,
        sent_at=now,
    )
    send_lanes(run.pk, lanes)
    return run


@transaction.atomic
def optimisation_resume(run_id: int, *, lanes: int, now: datetime) -> OptimisationRun:
    """Take up a run that was cancelled, failed or forgotten; what was tried stays tried. Raises InvalidValue when done.

    Trials that are under way stay with those who have them; those of the dead lapse by themselves.
    """
    run = OptimisationRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
    if run is None:
        raise InvalidValue("resume", run_id, "the number of a stored run")
    if run.status == OptimisationStatus.DONE:
        raise InvalidValue("resume", f"{run_id} (done)", "a run that is not done; --report writes its report again")
    if run.status not in OPEN_RUNS:
        run.status = OptimisationStatus.QUEUED
    run.lanes, run.sent_at, run.finished_at, run.error = lanes, now, None, ""
    run.save(update_fields=["status", "lanes", "sent_at", "finished_at", "error"])
    send_lanes(run.pk, lanes)
    return run


def optimisation_cancel(run_id: int, *, actor: str, now: datetime) -> bool:
    """End a run that is queued or running; its workers notice within seconds. False: it was over."""
    with transaction.atomic():
        outstanding = OptimisationRun.objects.filter(pk=run_id, status__in=OPEN_RUNS)
        ended = outstanding.update(status=OptimisationStatus.CANCELLED, finished_at=now, error=f"cancelled by {actor}")
        if ended:
            # What was under way is dropped, and is a trial to be tried once the run is taken up again.
            held = Trial.objects.filter(run=run_id, status=TrialStatus.RUNNING)
            held.update(status=TrialStatus.WAITING, lease="", leased_until=None)
    return bool(ended)


def optimisations_resume(now: datetime) -> int:
    """Wake workers for queued runs nobody works at: their messages were lost, or their workers; return how many."""
    quiet = OptimisationRun.objects.filter(status__in=OPEN_RUNS, lanes__gt=0, sent_at__lt=now - PATIENCE)
    quiet = quiet.annotate(last=Max("trials__finished_at")).filter(Q(last=None) | Q(last__lt=now - PATIENCE))
    found = list(quiet.exclude(trials__leased_until__gt=now).values_list("pk", "lanes"))
    for run_id, lanes in found:
        OptimisationRun.objects.filter(pk=run_id).update(sent_at=now)
        send_lanes(run_id, lanes)
    return len(found)
