"""How an objective was kept, piece of time by piece: what the page draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.exchanges.bulk import fetch
from apps.monitor.health.slos.budget import Count, burn_rate
from apps.monitor.models import Slo

MINUTE = timedelta(minutes=1)
# Pieces are cut from here on, so that they stay the same from one look to the next.
ORIGIN = "2000-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Cell:
    """One piece of time: when it began, what happened in it, and how many of its minutes were measured."""

    since: datetime
    count: Count
    measured: int
    minutes: int

    def look(self, slo: Slo) -> str:
        """Return how it looks: unknown, idle, good, fair (bad within what is allowed) or bad."""
        if self.measured == 0:
            return "unknown"
        rate = burn_rate(self.count, slo.objective)
        if rate is None:
            return "idle"
        if rate == 0:
            return "good"
        return "fair" if rate <= 1 else "bad"


def strips(slos: Sequence[Slo], now: datetime, piece: timedelta, pieces: int) -> Mapping[str, list[Cell]]:
    """Return the last so many pieces of each objective, oldest first; the last one is not over."""
    newest = fetch("SELECT date_bin(%s, %s, %s::timestamptz)", (piece, now, ORIGIN))[0][0]
    begins = [newest - piece * back for back in range(pieces - 1, -1, -1)]
    rows = fetch(
        "SELECT slo_id, date_bin(%s, minute, %s::timestamptz), sum(good)::bigint, sum(total)::bigint, count(*)"
        " FROM monitor_slosample WHERE minute >= %s GROUP BY 1, 2",
        (piece, ORIGIN, begins[0]),
    )
    found: dict[str, dict[datetime, tuple[Count, int]]] = defaultdict(dict)
    for slug, since, good, total, measured in rows:
        found[slug][since] = (Count(good, total), measured)
    return {slo.pk: [_cell(found[slo.pk], since, piece, now) for since in begins] for slo in slos}


def _cell(found: Mapping[datetime, tuple[Count, int]], since: datetime, piece: timedelta, now: datetime) -> Cell:
    count, measured = found.get(since, (Count(), 0))
    return Cell(since, count, measured, int(min(piece, max(now - since, MINUTE)) / MINUTE))
