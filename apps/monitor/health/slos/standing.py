"""How each objective stands: what was good, what nobody knows, what is left, and how fast it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from apps.exchanges.bulk import fetch
from apps.monitor.health.slos.budget import Count, budget_left, burn_rate
from apps.monitor.models import Slo

# The windows of burn rates: an hour wakes somebody, three days are for working hours.
BURN_WINDOWS: Mapping[str, timedelta] = MappingProxyType(
    {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "3d": timedelta(days=3)}
)
MINUTE = timedelta(minutes=1)
# A minute is measured within two after it is over; until then it is not missing.
MEASURED_AFTER = 3 * MINUTE


@dataclass(frozen=True, slots=True)
class Standing:
    """One objective at one moment.

    `unknown_minutes` of the window's `minutes` were measured by nobody: they are neither good nor bad. Rates and
    `budget_left` are None where nothing happened.
    """

    slo: Slo
    count: Count
    minutes: int
    unknown_minutes: int
    budget_left: float | None
    burn: Mapping[str, float | None]

    @property
    def met(self) -> bool | None:
        """Return whether the objective is met over the window; None when nothing happened."""
        return None if self.budget_left is None else self.budget_left >= 0


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast an objective's budget goes, for alerts: `rate` 1 uses it up in one window."""

    slug: str
    title: str
    window: str
    rate: float
    bad: int
    total: int


def standings(now: datetime) -> list[Standing]:
    """Return how every objective that is switched on stands at `now`."""
    slos = list(Slo.objects.filter(enabled=True))
    due = now.replace(second=0, microsecond=0) - MEASURED_AFTER
    rows = fetch(_WINDOW, {"now": now, "due": due})
    sums = {slug: (Count(good, total), _minutes(first, due), measured) for slug, good, total, first, measured in rows}
    burns = _burns(now)
    return [_standing(slo, *sums.get(slo.pk, (Count(), 0, 0)), burns.get(slo.pk, {})) for slo in slos]


def burn_rates(now: datetime) -> tuple[Burn, ...]:
    """Return the burn rate of every objective over each of BURN_WINDOWS in which anything happened."""
    titles = {slo.pk: slo for slo in Slo.objects.filter(enabled=True)}
    found = []
    for slug, counts in _burns(now).items():
        slo = titles.get(slug)
        for window, count in counts.items() if slo else ():
            rate = burn_rate(count, slo.objective) if slo else None
            if slo is not None and rate is not None:
                found.append(Burn(slug, slo.title, window, rate, count.bad, count.total))
    return tuple(found)


_WINDOW = (
    "SELECT s.slo_id, sum(s.good)::bigint, sum(s.total)::bigint, min(s.minute),"
    " count(*) FILTER (WHERE s.minute <= %(due)s) FROM monitor_slosample s"
    " JOIN monitor_slo o ON o.slug = s.slo_id AND o.enabled"
    " WHERE s.minute >= %(now)s - make_interval(days => o.window_days) GROUP BY 1"
)


def _burns(now: datetime) -> dict[str, dict[str, Count]]:
    since = {name: now - window for name, window in BURN_WINDOWS.items()}
    sums = ", ".join(
        f"coalesce(sum({what}) FILTER (WHERE minute >= %({name})s), 0)::bigint"
        for name in since
        for what in ("good", "total")
    )
    # The names and columns are those above.
    sql = f"SELECT slo_id, {sums} FROM monitor_slosample WHERE minute >= %(oldest)s GROUP BY 1"  # noqa: S608  our own words
    rows = fetch(sql, {**since, "oldest": min(since.values())})
    return {
        slug: {name: Count(sums[2 * at], sums[2 * at + 1]) for at, name in enumerate(since)} for slug, *sums in rows
    }


def _standing(slo: Slo, count: Count, minutes: int, measured: int, burns: Mapping[str, Count]) -> Standing:
    burn = {name: burn_rate(burns.get(name, Count()), slo.objective) for name in BURN_WINDOWS}
    return Standing(slo, count, minutes, minutes - measured, budget_left(count, slo.objective), burn)


def _minutes(first: datetime, due: datetime) -> int:
    """Return how many minutes should have been measured: from the first one that was to the last that is due."""
    return max(int((due - first) / MINUTE) + 1, 0)
