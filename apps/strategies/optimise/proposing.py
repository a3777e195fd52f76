"""Which trials come next: a batch of rows, drawn from what earlier rows say.

A batch is drawn once all trials before the *last* batch have ended. So workers have the last batch to work at in the
meantime, and yet what is drawn depends on the seed and on ended trials alone: one worker or fifty, quick or slow, find
the same trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction

from apps.strategies.models import OPEN_TRIALS, OptimisationRun, OptimisationStatus, Trial, TrialStatus
from apps.strategies.optimise.plan import Plan, plan_of_json
from apps.strategies.optimise.samplers.port import Outcome, Question, Told
from apps.strategies.optimise.space import Point

BATCH = 10
# What learns from nothing can be drawn ahead.
BLIND_BATCH = 100


@dataclass(frozen=True, slots=True)
class TrialSeen:
    """What a proposal looks at of a stored trial."""

    number: int
    study: int
    parameters: Point
    status: TrialStatus
    scores: Sequence[Sequence[float] | None]


@transaction.atomic
def trials_propose(run_id: int) -> int:
    """Add the next batch of trials to a running run; return how many: 0 when it is not yet or no longer time."""
    run = OptimisationRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.status != OptimisationStatus.RUNNING:
        return 0
    plan = plan_of_json(run.plan)
    numbers = next_numbers(plan, run.size, run.trials.count())
    if not numbers or not _ready(run, plan, numbers):
        return 0
    seen = _seen(run) if plan.chooser.learns else []
    rows = [
        Trial(run=run, number=number, study=plan.study_of(number), parameters=point, seed=seed_of(plan.seed, number))
        for number, point in zip(numbers, points(plan, run.size, numbers, seen), strict=True)
    ]
    return len(Trial.objects.bulk_create(rows))


def next_numbers(plan: Plan, size: int, there: int) -> range:
    """Return the numbers of the next batch after `there` trials; it ends where its study does."""
    stop = min(there + (BATCH if plan.chooser.learns else BLIND_BATCH), size)
    while stop > there + 1 and plan.study_of(stop - 1) != plan.study_of(there):
        stop -= 1
    return range(there, stop)


def points(plan: Plan, size: int, numbers: range, seen: Sequence[TrialSeen]) -> list[dict[str, Any]]:
    """Return the points of a batch, from trials of this study and of those before it."""
    study = plan.study_of(numbers.start)
    settled = numbers.start - BATCH
    told = [told_of(trial, study, settled=trial.number < settled) for trial in seen if trial.study <= study]
    question = Question(plan.space, numbers, size, plan.seed, len(plan.objectives))
    return list(plan.chooser.ask(question, told))


def told_of(trial: TrialSeen, study: int, *, settled: bool) -> Told:
    """Return what fold `study` may know of a trial: its score in that fold's training, once it is settled."""
    if not settled:
        return Told(trial.number, trial.parameters, Outcome.PENDING)
    scores = trial.scores[study] if trial.status == TrialStatus.DONE and study < len(trial.scores) else None
    if scores is None:
        return Told(trial.number, trial.parameters, Outcome.OUT)
    return Told(trial.number, trial.parameters, Outcome.SCORED, tuple(scores))


def seed_of(seed: int, number: int) -> int:
    """Return the seed of one trial."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _ready(run: OptimisationRun, plan: Plan, numbers: range) -> bool:
    before = Trial.objects.filter(run=run, status__in=OPEN_TRIALS)
    return not plan.chooser.learns or not before.filter(number__lt=numbers.start - BATCH).exists()


def _seen(run: OptimisationRun) -> list[TrialSeen]:
    rows = run.trials.order_by("number").values_list("number", "study", "parameters", "status", "scores")
    return [
        TrialSeen(number, study, point, TrialStatus(status), scores) for number, study, point, status, scores in rows
    ]
