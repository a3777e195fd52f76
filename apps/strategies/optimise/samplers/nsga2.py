"""Several objectives at once: Optuna's NSGA-II, generations of parents and children."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import NSGAIISampler
from optuna.samplers.nsgaii import SBXCrossover

from apps.strategies.optimise.samplers.port import Outcome, Question, Sampler, Told
from apps.strategies.optimise.samplers.study import answers
from apps.strategies.optimise.space import Scalar

LARGEST_POPULATION = 50
FEWEST_GENERATIONS = 10
# How far children fall from their parents: small spreads wide.
CROSSOVER_SPREAD = 2.0
# Where Optuna notes a trial's generation; we say it ourselves, from the trial's place among those that have scores.
GENERATION = "NSGAIISampler:generation"


class Nsga2(Sampler):
    """Crosses the best of each generation, best meaning beaten by few and far from its like.

    A generation is the next so many trials that have scores. Source: K. Deb et al., "A Fast and Elitist Multiobjective
    Genetic Algorithm: NSGA-II", 2002.
    """

    learns: ClassVar[bool] = True

    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:
        """Return a point for each number."""
        population = population_of(question.trials)
        seed = int(question.rng.integers(2**31))
        with warnings.catch_warnings():
            # Optuna may yet change the crossover's arguments; its version is pinned.
            warnings.simplefilter("ignore", ExperimentalWarning)
            crossover = SBXCrossover(eta=CROSSOVER_SPREAD)
        sampler = NSGAIISampler(population_size=population, crossover=crossover, seed=seed)
        return answers(question, told, sampler, generations(told, population))


def population_of(trials: int) -> int:
    """Return the size of a generation: small enough for ten of them, two at least."""
    return max(2, min(LARGEST_POPULATION, trials // FEWEST_GENERATIONS))


def generations(told: Sequence[Told], population: int) -> list[dict[str, Any]]:
    """Return Optuna's note for each trial: the generation of those with scores, nothing for the others."""
    notes: list[dict[str, Any]] = []
    scored = 0
    for trial in told:
        notes.append({GENERATION: scored // population} if trial.outcome is Outcome.SCORED else {})
        scored += trial.outcome is Outcome.SCORED
    return notes
