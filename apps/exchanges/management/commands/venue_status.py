"""How every venue does: ``manage.py venue_status``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.exchanges.health.freshness import NEVER
from apps.exchanges.health.metrics import exposition
from apps.exchanges.health.reports import VenueReport, venue_reports
from apps.exchanges.health.states import VenueState
from apps.exchanges.market_data.cache import process_redis
from apps.exchanges.models import Venue
from moondev.domain.errors import Connectivity

_COLUMNS = "{:<14}{:<10}{:>8}{:>9}{:>10}{:>8}{:>8}{:>8}  {}"


class Command(BaseCommand):
    """Prints one line per enabled venue; the exit code is 1 when one of them is down."""

    help = "Show state, age of the data, requests and errors of every enabled venue."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the format."""
        parser.add_argument("--prometheus", action="store_true", help="print Prometheus metrics instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the newest report on each venue."""
        venues = list(Venue.objects.filter(enabled=True).order_by("code").values_list("code", flat=True))
        if options["prometheus"]:
            self.stdout.write(exposition(process_redis(), venues), ending="")
            return
        try:
            reports = venue_reports(process_redis(), venues)
        except Connectivity as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _COLUMNS.format("venue", "state", "for s", "age s", "to us ms", "fresh", "asked", "failed", "")
        )
        for venue, report in reports.items():
            self.stdout.write(_line(venue, report))
        if any(report.state is VenueState.DOWN for report in reports.values()):
            raise SystemExit(1)


def _line(venue: str, report: VenueReport) -> str:
    fresh = f"{100 * report.fresh_looks / report.looks:.0f} %" if report.looks else "-"
    age = "-" if report.data_age_seconds >= NEVER else f"{report.data_age_seconds:.2f}"
    return _COLUMNS.format(
        venue,
        report.state,
        f"{report.state_seconds:.0f}",
        age,
        f"{1000 * report.visible_seconds:.1f}",
        fresh,
        report.requests,
        report.errors,
        "; ".join(report.reasons),
    ).rstrip()
