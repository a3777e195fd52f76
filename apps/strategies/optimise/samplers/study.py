"""Trials as Optuna wants them: a study in memory, built anew for each question from what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from apps.strategies.optimise.samplers.port import Outcome, Question, Told
from apps.strategies.optimise.space import Choice, Dimension, Real, Scalar, Space, Whole

# Optuna wants times; nothing of ours depends on them.
_WHENEVER = datetime(2000, 1, 1, tzinfo=UTC)
_STATES = {Outcome.SCORED: TrialState.COMPLETE, Outcome.OUT: TrialState.PRUNED, Outcome.PENDING: TrialState.RUNNING}


def answers(
    question: Question, told: Sequence[Told], sampler: BaseSampler, marks: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Scalar]]:
    """Return what Optuna's `sampler` would try next. `marks` are its own notes on the trials told, if it keeps any."""
    # Optuna reports every study and trial on standard error, which is no place for it in a worker.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {dimension.name: _distribution(dimension) for dimension in question.space.dimensions}
    study = optuna.create_study(directions=["maximize"] * question.objectives, sampler=sampler)
    notes = marks or [{}] * len(told)
    study.add_trials([_frozen(trial, distributions, note) for trial, note in zip(told, notes, strict=True)])
    asked = [study.ask(distributions).params for _ in question.numbers]
    return [_exact(question.space, params) for params in asked]


def _frozen(trial: Told, distributions: dict[str, BaseDistribution], note: dict[str, Any]) -> FrozenTrial:
    state = _STATES[trial.outcome]
    frozen = create_trial(
        state=state,
        params={name: trial.point[name] for name in distributions},
        distributions=distributions,
        values=list(trial.scores) if state is TrialState.COMPLETE else None,
        system_attrs=note,
    )
    frozen.datetime_start = _WHENEVER
    return frozen


def _distribution(dimension: Dimension) -> BaseDistribution:
    match dimension:
        case Whole(low=low, high=high, step=step, log=log):
            return IntDistribution(low, high, log=log, step=step)
        case Real(low=low, high=high, step=step, log=log):
            return FloatDistribution(low, high, log=log, step=step)
        case Choice(options=options):
            return CategoricalDistribution(options)


def _exact(space: Space, params: dict[str, Any]) -> dict[str, Scalar]:
    """Return the point with its numbers cut to the digits that ours have."""
    return {
        dimension.name: dimension.value(dimension.unit(params[dimension.name]))
        if isinstance(dimension, Real) and dimension.step is None
        else params[dimension.name]
        for dimension in space.dimensions
    }
