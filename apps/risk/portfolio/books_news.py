"""Which accounts' books have changed since somebody looked: a question that may be asked several times a second."""

from __future__ import annotations

from datetime import datetime

from apps.exchanges.bulk import fetch


class BooksNews:
    """Remembers when each account's positions were last written."""

    def __init__(self) -> None:
        self._known: dict[int, datetime] = {}

    def look(self) -> frozenset[int]:
        """Return the accounts whose positions were written since the last look; all that have any, the first time."""
        now: dict[int, datetime] = dict(
            fetch("SELECT account_id, max(updated_at) FROM exchanges_position GROUP BY account_id")
        )
        changed = frozenset(account for account, at in now.items() if self._known.get(account) != at)
        self._known = now
        return changed
