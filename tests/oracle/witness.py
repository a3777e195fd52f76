"""What tests ask: the stored answer, or a skip with its reason when the numbers are not at hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import stored
from tests.oracle.questions import Question
from tests.oracle.series import RecordingAbsent


def witnessed(question: Question) -> dict[str, Any]:
    """Return the stored answer; skips the test when recorded data is absent, fails it when nothing was stored."""
    try:
        return stored.answer(question)
    except RecordingAbsent as absent:
        pytest.skip(str(absent))
