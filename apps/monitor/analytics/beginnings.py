"""How far back to read, so that every round trip that ends in a period is seen from its beginning.

An owner who was flat when the period began needs nothing from before. For the others one looks back in ever longer
stretches, each read once, until every one is found to have been flat: a trip of an hour costs an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.monitor.analytics.period import Period
from apps.monitor.analytics.reading import Parameters, rows_of, statement

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FIRST_LOOK = timedelta(days=1)
CLOSING, LOOKING = statement("closing"), statement("looking")


def beginning(accounts: Sequence[int], period: Period, strategy: str | None) -> datetime:
    """Return from when on to read for the trips that end in a period."""
    chosen = {"accounts": list(accounts), "strategy": strategy}
    rows = rows_of(CLOSING, chosen | {"since": period.start, "upto": "infinity", "until": period.end})
    # What each owner held, by the number of his position.
    waiting: dict[int, Decimal] = dict(rows)
    begun, end, look = period.start, period.start, FIRST_LOOK
    while waiting:
        since = end - look if end - EARLIEST > look else EARLIEST
        for owner, at in _look(waiting, chosen | {"since": since, "upto": end}).items():
            del waiting[owner]
            begun = min(begun, at)
        if since == EARLIEST and waiting:
            return EARLIEST
        end, look = since, look * 2
    return begun


def _look(waiting: dict[int, Decimal], parameters: Parameters) -> dict[int, datetime]:
    """Return who was flat in a stretch, and when last; of the others note what they held before it."""
    found: dict[int, datetime] = {}
    for owner, at, held in rows_of(LOOKING, {**parameters, "owners": list(waiting), "helds": list(waiting.values())}):
        waiting[owner] = held
        if at is not None:
            found[owner] = at
    return found
