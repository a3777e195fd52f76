"""Every row of a time, whatever pages look like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.venues.ccxt_generic.windows import everything
from moondev.domain.errors import Invariant


def venue(stamps: list[int], limit: int, *, newest_first: bool) -> Any:
    """Return pages of at most `limit` rows that begin at either end of the window."""

    def page(start: int, end: int) -> list[dict[str, int]]:
        rows = [{"timestamp": at, "n": n} for n, at in enumerate(stamps) if start <= at <= end]
        rows.sort(key=lambda row: row["timestamp"], reverse=newest_first)
        return rows[:limit]

    return page


@given(st.lists(st.integers(0, 500), max_size=60), st.integers(20, 40), st.booleans())
def test_no_row_is_lost_and_none_comes_twice(stamps: list[int], limit: int, newest_first: bool) -> None:
    crowded = max((stamps.count(at) for at in stamps), default=0) >= limit
    if crowded:
        return
    found = everything(0, 500, venue(stamps, limit, newest_first=newest_first), limit)
    assert sorted(row["n"] for row in found) == list(range(len(stamps)))


def test_more_in_one_moment_than_a_page_holds_is_an_error_and_not_a_loss() -> None:
    with pytest.raises(Invariant, match="share the stamp 7 ms"):
        everything(0, 100, venue([7] * 5, 3, newest_first=False), 3)


def test_questions_without_end_are_an_error() -> None:
    with pytest.raises(Invariant, match="more than 256 questions"):
        everything(0, 10**9, lambda start, end: [{"timestamp": 1}] * 10 * (end > start), 10)
