"""Write and show a report: ``manage.py report daily --date 2026-11-25 --send``."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.monitor.analytics.reports.days import finished, stretch_with
from apps.monitor.analytics.reports.letter import mail_is_set
from apps.monitor.analytics.reports.services import letter_send, letters_again, letters_prepare, report_write
from apps.monitor.models import LetterState, Report, ReportKind
from moondev.commands import PromptCommand
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue


class Command(PromptCommand):
    """A report is written once; asked for again it is shown as it was."""

    help = "Write the daily or weekly report, print it, and with --send mail it to its recipients."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which report, of when, and whether it goes out."""
        parser.add_argument("kind", choices=ReportKind.values)
        parser.add_argument("--date", default="", help="a day of the period (default: the last one that is over)")
        parser.add_argument("--send", action="store_true", help="mail it, also again to who may not have got it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        kind, zone = ReportKind(options["kind"]), settings.MOONDEV_REPORT_ZONE
        now = LiveClock().now()
        try:
            day = date.fromisoformat(options["date"]) if options["date"] else finished(kind, now, zone)[-1].first
        except ValueError as error:
            raise CommandError(f"date is {options['date']!r}; allowed: a day such as 2026-01-31") from error
        try:
            report = report_write(stretch_with(kind, day, zone), now)
        except InvalidValue as error:
            raise CommandError(str(error)) from error
        if report is None:
            raise CommandError("there is no account yet, so there is nothing to report")
        self.stdout.write(report.text)
        if options["send"]:
            self._send(report)

    def _send(self, report: Report) -> None:
        if not mail_is_set():
            raise CommandError("EMAIL_HOST is ''; allowed: the name of a mail server")
        letters_prepare(report)
        letters_again(report)
        now, waiting = LiveClock().now(), report.letters.filter(state=LetterState.WAITING)
        sent = [letter.address for letter in waiting.select_related("report") if letter_send(letter, now)]
        self.stdout.write(f"sent to {', '.join(sent) or 'nobody'}")
        unsent = report.letters.exclude(state=LetterState.SENT)
        for letter in unsent:
            self.stderr.write(f"{letter.address}: {letter.state}: {letter.error}")
        if unsent:
            raise SystemExit(1)
