"""Every question, in the order they are asked."""

from __future__ import annotations

from tests.oracle.brackets import BRACKETS
from tests.oracle.crosses import CROSSES, GRID_QUESTIONS, PORTFOLIOS
from tests.oracle.formulas import INDICATOR_QUESTIONS, RELATION_QUESTIONS
from tests.oracle.questions import Question
from tests.oracle.quoters import QUOTERS
from tests.oracle.ratios import RATIO_QUESTIONS

QUESTIONS: tuple[Question, ...] = (
    *CROSSES.values(),
    *BRACKETS.values(),
    *GRID_QUESTIONS.values(),
    *PORTFOLIOS.values(),
    *RATIO_QUESTIONS.values(),
    *INDICATOR_QUESTIONS.values(),
    *RELATION_QUESTIONS.values(),
    *QUOTERS.values(),
)
