"""Reading everything since a moment, although the indexer answers in pages, newest first.

A page has at most 1,000 rows. The pages are those of one fixed moment (`createdBeforeOrAt`), so that what happens
meanwhile shifts none of them. https://docs.dydx.xyz/indexer-client/http#list-fills
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from apps.exchanges.venues.rows import Rows
from moondev.domain.errors import Invariant

ROWS_PER_PAGE = 1_000
MAX_PAGES = 64


class Stamped(Protocol):
    """Anything that happened at the venue at a known time."""

    @property
    def time_exchange(self) -> datetime:
        """Return when it happened."""
        ...


R = TypeVar("R", bound=Stamped)


def read_all(since: datetime, page: Callable[[int], Rows[R]], key: Callable[[R], str]) -> list[R]:
    """Return every row at or after `since`, oldest first, each once by its `key`.

    `page` reads a page by its number, from 1 on. Raises Invariant after MAX_PAGES: rows would be lost without a word.
    """
    found: dict[str, R] = {}
    for number in range(1, MAX_PAGES + 1):
        rows = page(number)
        found |= {key(row): row for row in rows.read if row.time_exchange >= since}
        reached = any(row.time_exchange < since for row in rows.read)
        if reached or rows.count < ROWS_PER_PAGE:
            return sorted(found.values(), key=lambda row: row.time_exchange)
    raise Invariant(f"more than {MAX_PAGES} pages since {since.isoformat()}")
