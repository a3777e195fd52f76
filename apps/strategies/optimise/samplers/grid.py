"""Every combination of evenly spread levels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from apps.strategies.optimise.samplers.port import Question, Sampler, Told
from apps.strategies.optimise.space import Choice, Dimension, Scalar, Space
from moondev.domain.errors import InvalidValue

FEWEST_LEVELS = 2


class Grid(Sampler):
    """The whole grid, in an order shuffled by the seed: a run that is stopped early has seen all of it thinly.

    A range with a step has all its steps, a choice all its options; the other ranges get as many levels as the number
    of trials allows.
    """

    def size(self, space: Space, trials: int) -> int:
        """Return the number of combinations. Raises InvalidValue when they are more than `trials`."""
        return math.prod(len(levels) for levels in levels_of(space, trials))

    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:  # noqa: ARG002  the port's
        """Return the combinations with these numbers."""
        levels = levels_of(question.space, question.trials)
        shape = tuple(map(len, levels))
        order = np.random.default_rng(question.seed).permutation(math.prod(shape))
        picked = [np.unravel_index(order[number], shape) for number in question.numbers]
        names = question.space.names
        return [
            {name: options[int(at)] for name, options, at in zip(names, levels, place, strict=True)} for place in picked
        ]


def levels_of(space: Space, trials: int) -> list[tuple[Scalar, ...]]:
    """Return the levels of each dimension: fixed ones whole, the others raised in turn while `trials` allows it."""
    dimensions = space.dimensions
    fixed = [_fixed(dimension) for dimension in dimensions]
    counts = [FEWEST_LEVELS if count is None else count for count in fixed]
    if math.prod(counts) > trials:
        told = " x ".join(f"{dimension.name} {count}" for dimension, count in zip(dimensions, counts, strict=True))
        raise InvalidValue("trials", trials, f"{math.prod(counts)} or more for this grid ({told}), or a smaller space")
    raised = True
    while raised:
        raised = False
        for index, count in enumerate(fixed):
            more = [*counts[:index], counts[index] + 1, *counts[index + 1 :]]
            if count is None and math.prod(more) <= trials and _has(dimensions[index], more[index]):
                counts, raised = more, True
    return [tuple(dimension.levels(count)) for dimension, count in zip(dimensions, counts, strict=True)]


def _fixed(dimension: Dimension) -> int | None:
    """Return how many levels the dimension insists on; None when as many as fit will do."""
    if isinstance(dimension, Choice):
        return dimension.count
    stepped = dimension.step is not None and dimension.step != 1
    few = dimension.count is not None and dimension.count <= FEWEST_LEVELS
    return dimension.count if stepped or few else None


def _has(dimension: Dimension, levels: int) -> bool:
    return len(dimension.levels(levels)) == levels
