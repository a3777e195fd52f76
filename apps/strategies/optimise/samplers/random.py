"""Points drawn independently and evenly, each parameter on its own scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.strategies.optimise.samplers.port import Question, Sampler, Told
from apps.strategies.optimise.space import Scalar, Space


class Random(Sampler):
    """Trial n is drawn from the seed and n alone, so it is the same whoever runs it, in whatever order."""

    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:  # noqa: ARG002  the port's
        """Return a point for each number."""
        return [drawn(question.space, np.random.default_rng([question.seed, number])) for number in question.numbers]


def drawn(space: Space, rng: np.random.Generator) -> dict[str, Scalar]:
    """Return one point of the space by chance."""
    return space.point(dict(zip(space.names, rng.random(len(space.names)), strict=True)))
