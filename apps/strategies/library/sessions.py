"""The cash session of the United States: one clock, New York's, for the day and for the hour."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from moondev.domain.clock import require_aware

NEW_YORK = ZoneInfo("America/New_York")
OPENS = time(9, 30)
CLOSES = time(16, 0)
FRIDAY = 4
SATURDAY = 5
SUNDAY = 6
MONDAY = 0
THURSDAY = 3
FIRST_JUNETEENTH = 2022


def in_session(moment: datetime) -> bool:
    """Return whether New York trades at `moment`: Monday to Friday 09:30 to 16:00, no holiday.

    The weekday and the hour are both New York's, daylight saving included. Half days count as
    whole days. Raises InvalidValue when `moment` is naive.
    """
    local = require_aware("moment", moment).astimezone(NEW_YORK)
    if local.weekday() >= SATURDAY or local.date() in holidays(local.year):
        return False
    return OPENS <= local.time() < CLOSES


def in_weekend(moment: datetime) -> bool:
    """Return whether `moment` lies between Friday's close and Monday's open in New York.

    Raises InvalidValue when `moment` is naive.
    """
    local = require_aware("moment", moment).astimezone(NEW_YORK)
    if local.weekday() >= SATURDAY:
        return True
    if local.weekday() == FRIDAY:
        return local.time() >= CLOSES
    return local.weekday() == MONDAY and local.time() < OPENS


@lru_cache(maxsize=8)
def holidays(year: int) -> frozenset[date]:
    """Return the days of `year` on which the New York Stock Exchange stays closed by rule.

    Fixed dates move off a weekend (to Friday or Monday), except that a New Year's Day on a
    Saturday is not moved into the old year. Rule 7.2 of the exchange; Juneteenth since 2022.
    """
    days = {
        _nth_weekday(year, 1, MONDAY, 3),
        _nth_weekday(year, 2, MONDAY, 3),
        _easter(year) - timedelta(days=2),
        _nth_weekday(year, 6, MONDAY, 1) - timedelta(days=7),
        _observed(date(year, 7, 4)),
        _nth_weekday(year, 9, MONDAY, 1),
        _nth_weekday(year, 11, THURSDAY, 4),
        _observed(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    if new_year.weekday() != SATURDAY:
        days.add(_observed(new_year))
    if year >= FIRST_JUNETEENTH:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days)


def _observed(day: date) -> date:
    shift = {SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0)
    return day + timedelta(days=shift)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _easter(year: int) -> date:
    """Return Easter Sunday by the anonymous Gregorian computus (Meeus, 1991)."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    skipped, leap_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - skipped - correction + 15) % 30
    fours, rest = divmod(of_century, 4)
    to_sunday = (32 + 2 * leap_rest + 2 * fours - epact - rest) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
