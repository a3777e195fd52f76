"""Everything since a moment, although a venue answers in pages of a size and an order that it does not tell.

A window of time is asked for; when the answer is as long as a page can be it may lack some, and the window is asked
for again in two halves. So it does not matter whether a page begins with the oldest or with the newest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.exchanges.venues.ccxt_generic.parse import Row
from moondev.domain.errors import Invariant

MAX_QUESTIONS = 256


def everything(start_ms: int, end_ms: int, page: Callable[[int, int], list[Row]], rows_per_page: int) -> list[Row]:
    """Return every row of the closed window, as the pages gave them. `page` answers for a closed window.

    Raises Invariant when more rows share a millisecond than fit on a page, or after MAX_QUESTIONS: rows would be lost
    without a word.
    """
    found: list[Row] = []
    windows = [(start_ms, end_ms)]
    for _ in range(MAX_QUESTIONS):
        if not windows:
            return found
        start, end = windows.pop()
        rows = page(start, end)
        if len(rows) < rows_per_page:
            found += rows
            continue
        if start >= end:
            raise Invariant(f"{len(rows)} rows and more share the stamp {start} ms: cannot read on")
        middle = (start + end) // 2
        windows += [(start, middle), (middle + 1, end)]
    raise Invariant(f"more than {MAX_QUESTIONS} questions about {start_ms} to {end_ms}")


def stamped(row: Any) -> float:  # noqa: ANN401 - any JSON
    """Return the time of a row for sorting; 0 for one that has none."""
    return float(row.get("timestamp") or 0)
