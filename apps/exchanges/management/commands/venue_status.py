"""How every venue does: ``manage.py venue_status``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.execution.throttle.shared import spent_of
from apps.exchanges.health.freshness import NEVER
from apps.exchanges.health.metrics import exposition
from apps.exchanges.health.reports import VenueReport, venue_reports
from apps.exchanges.health.states import VenueState
from apps.exchanges.market_data.cache import process_redis
from apps.exchanges.models import Venue
from apps.exchanges.registry import adapter_of
from apps.exchanges.throttling import Budget
from moondev.commands import PromptCommand
from moondev.domain.errors import Connectivity

_COLUMNS = "{:<14}{:<10}{:>8}{:>9}{:>10}{:>8}{:>8}{:>8}  {}"


class Command(PromptCommand):
    """Prints one line per enabled venue; the exit code is 1 when one of them is down."""

    help = "Show state, age of the data, requests and errors of every enabled venue."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the format."""
        parser.add_argument("--prometheus", action="store_true", help="print Prometheus metrics instead of a table")
        parser.add_argument("--budgets", action="store_true", help="print also what is spent of each rate budget")

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
        if options["budgets"]:
            self._show_budgets()
        if any(report.state is VenueState.DOWN for report in reports.values()):
            raise SystemExit(1)

    def _show_budgets(self) -> None:
        for venue in Venue.objects.filter(enabled=True).order_by("code"):
            for line in _budget_lines(venue):
                self.stdout.write(line)


def _budget_lines(venue: Venue) -> list[str]:
    """Return what is spent of the budgets of our internet address and of every account at a venue."""
    budgets = adapter_of(venue.protocol).budgets
    sizes = {budget.name: budget.capacity if isinstance(budget, Budget) else budget.initial for budget in budgets}
    accounts = venue.accounts.filter(enabled=True).order_by("code").values_list("code", "address")
    owners = [("address", ""), *accounts]
    return [
        f"{venue.code:<14}{owner:<24}{name:<24}{spent:>8} of {sizes[name]}"
        for owner, address in owners
        for name, spent in spent_of(venue.code, budgets, address).items()
        if spent or not address
    ]


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
