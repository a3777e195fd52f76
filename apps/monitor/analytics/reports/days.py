"""The days and weeks that reports are about, where days begin in a time zone. Pure.

A day lasts from one midnight of the zone to the next: 23, 24 or 25 hours. A week begins on Monday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.monitor.analytics.period import Period
from apps.monitor.models import ReportKind

LENGTHS = {ReportKind.DAILY: 1, ReportKind.WEEKLY: 7}
# So many periods back are made good after an outage; older ones a person may ask for by date.
CATCH_UP = {ReportKind.DAILY: 7, ReportKind.WEEKLY: 4}


@dataclass(frozen=True, slots=True)
class Stretch:
    """One day or one week, by its first day."""

    kind: ReportKind
    first: date
    zone: str

    @property
    def last(self) -> date:
        """Return the last day in it."""
        return self.first + timedelta(days=LENGTHS[self.kind] - 1)

    @property
    def period(self) -> Period:
        """Return when it begins and ends."""
        return Period(_midnight(self.first, self.zone), _midnight(self.last + timedelta(days=1), self.zone))

    @property
    def before(self) -> Stretch:
        """Return the one before it."""
        return Stretch(self.kind, self.first - timedelta(days=LENGTHS[self.kind]), self.zone)

    @property
    def words(self) -> str:
        """Return it as people say it."""
        if self.kind is ReportKind.DAILY:
            return f"{self.first:%A, %-d %B %Y}"
        return f"{self.first:%-d %B} to {self.last:%-d %B %Y}"


def stretch_with(kind: ReportKind, day: date, zone: str) -> Stretch:
    """Return the day, or the week that holds it."""
    first = day - timedelta(days=day.weekday()) if kind is ReportKind.WEEKLY else day
    return Stretch(kind, first, zone)


def finished(kind: ReportKind, now: datetime, zone: str) -> list[Stretch]:
    """Return the latest periods that are over, oldest first: as many as are made good after an outage."""
    today = now.astimezone(ZoneInfo(zone)).date()
    found = [stretch_with(kind, today, zone).before]
    while len(found) < CATCH_UP[kind]:
        found.append(found[-1].before)
    return found[::-1]


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))
