"""Which trial is chosen: in each fold among those that were found without knowing what came after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.strategies.models import OptimisationRun, TrialStatus
from apps.strategies.optimise.pareto import front, ranked


@dataclass(frozen=True, slots=True)
class Ended:
    """One trial that has figures."""

    number: int
    study: int
    parameters: dict[str, Any]
    scores: Sequence[Sequence[float] | None]
    figures: dict[str, Any]

    def score(self, fold: int) -> tuple[float, ...] | None:
        """Return its scores in the training of a fold; None where it is no answer or was found knowing more."""
        scores = self.scores[fold] if self.study <= fold < len(self.scores) else None
        return None if scores is None else tuple(scores)


def ended_trials(run: OptimisationRun) -> list[Ended]:
    """Return the trials of a run that have figures, by number."""
    rows = run.trials.filter(status=TrialStatus.DONE).order_by("number")
    return [Ended(*row) for row in rows.values_list("number", "study", "parameters", "scores", "figures")]


def best_first(trials: Sequence[Ended], fold: int) -> list[Ended]:
    """Return the answers of a fold, best in its training first."""
    answers = [(trial, score) for trial in trials if (score := trial.score(fold)) is not None]
    return [answers[place][0] for place in ranked([score for _, score in answers])] if answers else []


def on_front(trials: Sequence[Ended], fold: int) -> list[Ended]:
    """Return the answers of a fold that no other beats in every objective."""
    answers = [(trial, score) for trial in trials if (score := trial.score(fold)) is not None]
    return [answers[place][0] for place in front([score for _, score in answers])]
