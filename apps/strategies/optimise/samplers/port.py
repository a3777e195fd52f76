"""What a sampler is: it is asked with the trials so far, and keeps nothing in between.

All its state is the trials that are stored anyway, so a run goes on after any stop, on any machine, and the same
trials and seed give the same proposals.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from apps.strategies.optimise.space import Point, Scalar, Space


class Outcome(StrEnum):
    """What is known of a trial: its scores; nothing yet; or that it is no answer (refused, failed, too few trades)."""

    SCORED = "scored"
    PENDING = "pending"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Told:
    """One trial as a sampler hears of it. `scores`, one per objective, are larger where better; empty unless SCORED."""

    number: int
    point: Point
    outcome: Outcome
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: points for the trials `numbers` of a run of `trials` with `objectives` objectives."""

    space: Space
    numbers: range
    trials: int
    seed: int
    objectives: int = 1

    @property
    def rng(self) -> np.random.Generator:
        """Return the chance of this question: another for every first number, the same each time it is asked."""
        return np.random.default_rng([self.seed, self.numbers.start])


class Sampler(ABC):
    """Chooses points. `learns`: whether earlier trials matter to it; `most_objectives` None is any number."""

    learns: ClassVar[bool] = False
    most_objectives: ClassVar[int | None] = None

    def size(self, space: Space, trials: int) -> int:  # noqa: ARG002  a grid looks at it
        """Return how many of the `trials` asked for there will be."""
        return trials

    @abstractmethod
    def ask(self, question: Question, told: Sequence[Told]) -> list[dict[str, Scalar]]:
        """Return one point per number that is asked for. `told` is in order of number."""
