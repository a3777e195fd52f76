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
# A minute is measured some time after it is over; until then it is not missing.
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
    sums = {
        slug: (Count(good, total), first, measured) for slug, good, total, first, measured in fetch(_WINDOW, (now,))
    }
    burns = _burns(now)
    nothing = (Count(), None, 0)
    return [_standing(slo, *sums.get(slo.pk, nothing), burns.get(slo.pk, {}), now) for slo in slos]


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
    "SELECT s.slo_id, sum(s.good)::bigint, sum(s.total)::bigint, min(s.minute), count(*) FROM monitor_slosample s"
    " JOIN monitor_slo o ON o.slug = s.slo_id AND o.enabled"
    " WHERE s.minute >= %s - make_interval(days => o.window_days) GROUP BY 1"
)


def _burns(now: datetime) -> dict[str, dict[str, Count]]:
    since = {name: now - window for name, window in BURN_WINDOWS.items()}
    sums = ", ".join(
        f"coalesce(sum({what}) FILTER (WHERE minute >= %({name})s), 0)::bigint"
        for name in since
        for what in ("good", "total")
    )
    # The names and columns are those above.
    sql = f"SELECT slo_id, {sums} FROM monitor_slosample WHERE minute >= %(oldest)s GROUP BY 1"  # noqa: S608
    rows = fetch(sql, {**since, "oldest": min(since.values())})
    return {
        slug: {name: Count(sums[2 * at], sums[2 * at + 1]) for at, name in enumerate(since)} for slug, *sums in rows
    }


def _standing(
    slo: Slo, count: Count, first: datetime | None, measured: int, burns: Mapping[str, Count], now: datetime
) -> Standing:
    """Return the standing; minutes count from the first measured one in the window to the last that must be there."""
    minutes = 0 if first is None else int((now - MEASURED_AFTER - first) / MINUTE)
    burn = {name: burn_rate(burns.get(name, Count()), slo.objective) for name in BURN_WINDOWS}
    unknown = max(minutes - measured, 0)
    return Standing(slo, count, max(minutes, measured), unknown, budget_left(count, slo.objective), burn)
