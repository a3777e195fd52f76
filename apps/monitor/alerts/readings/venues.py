"""How venues do: from the report each market stream process writes every second."""

from __future__ import annotations

from apps.exchanges.health.reports import SILENT, VenueReport, venue_reports
from apps.exchanges.health.states import FEWEST_REQUESTS, VenueState
from apps.exchanges.models import Account, Venue
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, YES, Measured, Readings, number, scope

_NEVER = 1e8


def venue_down(look: Look) -> Readings:
    """Return 1 for a venue that takes no new risk because it does not answer.

    Whether it answers is not known while the process that listens to it says nothing; that is no fault of the venue's.
    """
    return {scope("venue", code): _down(report) for code, report in _reports(look).items()}


def _down(report: VenueReport) -> Measured:
    down = YES if report.state is VenueState.DOWN else NO
    return Measured(None if SILENT in report.reasons else down, "; ".join(report.reasons))


def data_age(look: Look) -> Readings:
    """Return the age of the newest public datum of each venue; who has never heard of it does not know."""
    return {
        scope("venue", code): Measured(
            number(report.data_age_seconds) if report.data_age_seconds < _NEVER else None,
            "" if report.data_age_seconds < _NEVER else "no data has been heard",
        )
        for code, report in _reports(look).items()
    }


def book_age(look: Look) -> Readings:
    """Return the age of the oldest book that a venue streams: a frozen subscription while others flow."""
    found = {}
    for code, report in _reports(look).items():
        oldest = max(report.book_ages.items(), key=lambda one: one[1], default=None)
        if oldest is not None:
            found[scope("venue", code)] = Measured(number(oldest[1]), oldest[0])
    return found


def error_rate(look: Look) -> Readings:
    """Return the share of lately made requests that brought no usable answer; too few say nothing at all."""
    return {
        scope("venue", code): Measured(
            number(report.errors / report.requests), f"{report.errors} of {report.requests} requests"
        )
        for code, report in _reports(look).items()
        if report.requests >= FEWEST_REQUESTS
    }


def unreconciled(_look: Look) -> Readings:
    """Return 1 for an account that has yet to be asked what happened while its stream was down."""
    rows = Account.objects.filter(enabled=True).values_list("code", "venue_id", "unreconciled")
    return {
        scope("account", code): Measured(YES if gap else NO, within=(scope("venue", venue),))
        for code, venue, gap in rows
    }


def _reports(look: Look) -> dict[str, VenueReport]:
    def read() -> dict[str, VenueReport]:
        return venue_reports(look.cache, list(Venue.objects.filter(enabled=True).values_list("code", flat=True)))

    return look.once("venue reports", read)
