"""Every question, in the order they are asked."""

from __future__ import annotations

from tests.oracle.crosses import CROSSES, GRID_QUESTIONS
from tests.oracle.questions import Question

QUESTIONS: tuple[Question, ...] = (*CROSSES.values(), *GRID_QUESTIONS.values())
