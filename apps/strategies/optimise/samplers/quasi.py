"""Points spread more evenly than chance would: Sobol's sequence and Latin hypercubes.

Source: scipy.stats.qmc.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from apps.strategies.optimise.samplers.port import Question, Sampler, Told
from apps.strategies.optimise.space import Scalar, Space


class Sobol(Sampler):
    """Sobol's sequence, scrambled by the seed: any first n trials cover the space about evenly."""

    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:  # noqa: ARG002  the port's
        """Return the points of the sequence with these numbers."""
        sequence = qmc.Sobol(len(question.space.names), rng=np.random.default_rng(question.seed))
        if question.numbers.start:
            sequence.fast_forward(question.numbers.start)
        # One by one: scipy warns of every block whose length is no power of two.
        rows = [sequence.random(1)[0] for _ in question.numbers]
        return _points(question.space, np.array(rows))


class LatinHypercube(Sampler):
    """As many equal parts of every parameter as there are trials, each used once; even only when all trials ran."""

    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:  # noqa: ARG002  the port's
        """Return the rows of the hypercube with these numbers."""
        cube = qmc.LatinHypercube(len(question.space.names), rng=np.random.default_rng(question.seed))
        rows = cube.random(question.trials)
        return _points(question.space, rows[question.numbers.start : question.numbers.stop])


def _points(space: Space, rows: NDArray[np.float64]) -> list[dict[str, Scalar]]:
    return [space.point(dict(zip(space.names, map(float, row), strict=True))) for row in rows]
