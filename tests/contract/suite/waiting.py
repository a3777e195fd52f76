"""Waiting for a condition with a bound, from plain functions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from moondev.domain.clock import monotonic

T = TypeVar("T")

LONGEST_SECONDS = 10.0
_STEP_SECONDS = 0.01


def until(found: Callable[[], T | None], what: str) -> T:
    """Return the first answer of `found` that is neither None nor False. Raises AssertionError, naming `what`."""
    ends = monotonic() + LONGEST_SECONDS
    while True:
        answer = found()
        if answer is not None and answer is not False:
            return answer
        if monotonic() > ends:
            raise AssertionError(f"not within {LONGEST_SECONDS:g} s: {what}")
        time.sleep(_STEP_SECONDS)
