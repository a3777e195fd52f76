"""Bayesian search: Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from optuna.samplers import TPESampler

from apps.strategies.optimise.samplers.port import Question, Sampler, Told
from apps.strategies.optimise.samplers.study import answers
from apps.strategies.optimise.space import Scalar

FIRST_BY_CHANCE = 20


class Tpe(Sampler):
    """Draws where good trials are dense and bad ones are not; trials under way count as bad, so none is repeated.

    Source: J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011.
    """

    learns: ClassVar[bool] = True

    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:
        """Return a point for each number."""
        seed = int(question.rng.integers(2**31))
        sampler = TPESampler(n_startup_trials=FIRST_BY_CHANCE, multivariate=False, constant_liar=True, seed=seed)
        return answers(question, told, sampler)
