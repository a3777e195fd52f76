"""Reading everything since a moment, although the venue answers in pages.

A page holds at most 2,000 fills (500 rows of other kinds), oldest first, from `startTime` on; only
the newest 10,000 fills can be had. The next page starts at the last stamp, inclusive, because
several rows may share it; rows seen before are dropped.
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from apps.exchanges.venues.rows import Rows
from moondev.domain.clock import milliseconds
from moondev.domain.errors import Invariant

# The smallest full page that any of these reads is documented to give; a shorter one is the last.
SMALLEST_FULL_PAGE = 500
FILLS_PER_PAGE = 2_000
FUNDINGS_PER_PAGE = 500
MAX_PAGES = 64


class Stamped(Protocol):
    """Anything that happened at the venue at a known time."""

    @property
    def time_exchange(self) -> datetime:
        """Return when it happened."""
        ...


R = TypeVar("R", bound=Stamped)


def read_all(
    since: datetime, page_from: Callable[[int], Rows[R]], key: Callable[[R], str], rows_per_page: int
) -> list[R]:
    """Return every row at or after `since`, oldest first, each once by its `key`.

    `page_from` reads the page that starts at a stamp in milliseconds. Raises Invariant when a page of
    `rows_per_page` (unreadable ones count) brings nothing new, or after MAX_PAGES: rows would be lost without a word.
    """
    rows: dict[str, R] = {}
    start = milliseconds(since)
    for _ in range(MAX_PAGES):
        page = page_from(start)
        known = len(rows)
        rows.update((key(row), row) for row in page.read)
        stuck = len(rows) == known
        if stuck and page.count >= rows_per_page:
            raise Invariant(f"{page.count} rows and more share the stamp {start} ms: cannot read on")
        if stuck or page.count < SMALLEST_FULL_PAGE:
            return sorted(rows.values(), key=lambda row: row.time_exchange)
        start = max(milliseconds(row.time_exchange) for row in page.read)
    raise Invariant(f"more than {MAX_PAGES} pages since {since.isoformat()}")
