"""A model of the score, learnt from the trials, asked where a trial is expected to improve most (scikit-learn)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from apps.strategies.optimise.samplers.port import Outcome, Question, Sampler, Told
from apps.strategies.optimise.samplers.random import drawn
from apps.strategies.optimise.space import Choice, Point, Scalar, Space

FIRST_BY_CHANCE = 20
CANDIDATES = 1_000
# Of the candidates this share is drawn near the best so far, the others anywhere.
NEAR_SHARE = 0.3
TREES = 30
NEAR = 0.05
# Points of one batch: within about this distance (of 1 a parameter) they would tell the same.
KEPT_APART = 0.1
# A Gaussian process costs the cube of what it is shown; the newest so many are enough to follow the best.
MOST_SHOWN = 300

Matrix = NDArray[np.float64]


class Model(Protocol):
    """Says what it expects of points in the unit cube, and how unsure it is of it."""

    def expect(self, shown: Matrix, scores: Matrix, asked: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and standard deviation of each point asked for."""
        ...


class GaussianProcess:
    """Smooth: good for few trials and few parameters."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def expect(self, shown: Matrix, scores: Matrix, asked: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and standard deviation of each point asked for."""
        model = GaussianProcessRegressor(_kernel(), optimizer=_one_descent, random_state=self._seed)
        # One core: threads of many workers that wait for each other cost seven times the work.
        with warnings.catch_warnings(), threadpool_limits(1):
            # A length at its bound is a parameter that does not matter, or trials without noise: no fault.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(shown, scores)
        mean, deviation = model.predict(asked, return_std=True)
        return np.asarray(mean), np.asarray(deviation)


class Forest:
    """Trees: good for many parameters, choices among them; unsure where its trees disagree."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def expect(self, shown: Matrix, scores: Matrix, asked: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and standard deviation of each point asked for."""
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=self._seed, n_jobs=1).fit(shown, scores)
        each = np.array([tree.predict(asked) for tree in forest.estimators_])
        return each.mean(axis=0), each.std(axis=0)


class Surrogate(Sampler):
    """Expected improvement over the best so far, one objective; points chosen together keep away from each other.

    Sources: D. Jones et al., "Efficient Global Optimization of Expensive Black-Box Functions", 1998; J. Gonzalez et
    al., "Batch Bayesian Optimization via Local Penalization", 2016.
    """

    learns: ClassVar[bool] = True
    most_objectives: ClassVar[int | None] = 1

    def __init__(self, model: type[GaussianProcess | Forest]) -> None:
        self._model = model

    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:
        """Return a point for each number."""
        rng = question.rng
        known = [trial for trial in told if trial.outcome is Outcome.SCORED]
        if len(known) < FIRST_BY_CHANCE // 2 or question.numbers.start < FIRST_BY_CHANCE:
            return [drawn(question.space, rng) for _ in question.numbers]
        shown, scores = _shown(question.space, told)
        best: Point = max(known, key=lambda trial: trial.scores[0]).point
        candidates = _candidates(question.space, best, rng)
        asked = np.array([encoded(question.space, point) for point in candidates])
        mean, deviation = self._model(int(rng.integers(2**31))).expect(shown, scores, asked)
        worth = expected_improvement(mean, deviation, float(scores.max()))
        return [candidates[place] for place in apart(asked, worth, len(question.numbers))]


def apart(asked: Matrix, worth: Matrix, count: int) -> list[int]:
    """Return the places of `count` points, the most worth first; each makes those around it worth less."""
    # The smallest worth still orders the points when the best of them is worth nothing.
    left = np.maximum(worth, np.finfo(np.float64).tiny)
    chosen: list[int] = []
    for _ in range(count):
        place = int(np.argmax(left))
        chosen.append(place)
        squared = ((asked - asked[place]) ** 2).sum(axis=1)
        left = left * (1 - np.exp(-squared / (2 * KEPT_APART**2)))
        left[place] = -1.0
    return chosen


def expected_improvement(mean: Matrix, deviation: Matrix, best: float) -> Matrix:
    """Return how much each point is expected to beat `best`, what falls short counting as zero."""
    spread = np.maximum(deviation, 1e-12)
    ahead = (mean - best) / spread
    return np.asarray((mean - best) * norm.cdf(ahead) + spread * norm.pdf(ahead))


def encoded(space: Space, point: Point) -> list[float]:
    """Return the point in the unit cube; a choice is one column per option."""
    row: list[float] = []
    for dimension in space.dimensions:
        value = point[dimension.name]
        if isinstance(dimension, Choice):
            row += [float(value == option) for option in dimension.options]
        else:
            row.append(dimension.unit(value))
    return row


def _shown(space: Space, told: Sequence[Told]) -> tuple[Matrix, Matrix]:
    """Return what the model learns from: ended trials, scores standardised; one that is out has the worst score.

    Trials still under way are taken for average, so that they repel no one and attract no one.
    """
    told = told[-MOST_SHOWN:]
    scores = np.array([trial.scores[0] for trial in told if trial.outcome is Outcome.SCORED])
    middle, spread, worst = float(scores.mean()), float(scores.std()) or 1.0, float(scores.min())
    instead = {Outcome.OUT: worst, Outcome.PENDING: middle}
    raw = [instead.get(trial.outcome, trial.scores[0] if trial.scores else worst) for trial in told]
    return np.array([encoded(space, trial.point) for trial in told]), (np.array(raw) - middle) / spread


def _candidates(space: Space, best: Point, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    near = int(CANDIDATES * NEAR_SHARE)
    return [drawn(space, rng) for _ in range(CANDIDATES - near)] + [_beside(space, best, rng) for _ in range(near)]


def _beside(space: Space, point: Point, rng: np.random.Generator) -> dict[str, Scalar]:
    """Return a point near another: each number moved a little, each choice mostly kept."""
    beside: dict[str, Scalar] = {}
    for dimension in space.dimensions:
        if isinstance(dimension, Choice):
            kept = rng.random() < 1 - NEAR * 2
            beside[dimension.name] = point[dimension.name] if kept else dimension.value(float(rng.random()))
        else:
            unit = dimension.unit(point[dimension.name]) + rng.normal(0.0, NEAR)
            beside[dimension.name] = dimension.value(float(np.clip(unit, 0.0, 1 - 1e-9)))
    return beside


def _kernel() -> Kernel:
    return ConstantKernel(1.0, (1e-2, 1e2)) * Matern(0.5, (0.05, 5.0), nu=2.5) + WhiteKernel(1e-2, (1e-6, 1.0))


def _one_descent(objective: object, start: Matrix, bounds: Matrix) -> tuple[Matrix, float]:
    """Find the kernel's lengths by one short descent: a better fit is worth less than the next trial."""
    found = minimize(objective, start, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": 15})
    return found.x, float(found.fun)
