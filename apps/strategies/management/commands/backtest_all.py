"""The whole library on recorded data: ``manage.py backtest_all --data-dir FOLDER --out docs/backtests``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.survey.cases import cases
from apps.strategies.backtest.survey.run import Outcome, outcomes
from apps.strategies.backtest.survey.table import survey_page
from apps.strategies.backtest.verdict import verdict
from apps.strategies.registry import library_names
from moondev.commands import PromptCommand


class Command(PromptCommand):
    """Runs every preset of every strategy, fees on, and writes one table and a report for each line of it."""

    help = "Backtest every preset of every strategy on recorded data, fees on; write results.md and the reports."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where the recordings are and where the results go."""
        parser.add_argument("--data-dir", type=Path, required=True, help="folder of recorded bars and funding")
        parser.add_argument("--out", type=Path, required=True, help="folder for results.md")
        parser.add_argument("--reports", type=Path, help="folder for the reports (default: with the run's logs)")
        parser.add_argument("--only", nargs="+", default=[], choices=library_names(), help="only these strategies")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all of it. Raises CommandError when there is nothing to run on."""
        if not options["data_dir"].is_dir():
            raise CommandError(f"data-dir is {str(options['data_dir'])!r}; allowed: a folder of recorded bars")
        reports = options["reports"] or settings.RUN_DIR / "reports"
        for folder in (options["out"], reports):
            folder.mkdir(parents=True, exist_ok=True)
        done = []
        for outcome in outcomes(cases(options["only"]), options["data_dir"]):
            done.append(outcome)
            self.stdout.write(_told(outcome))
            if outcome.record is not None:
                page = reports / f"{len(done):02d}-{outcome.case.strategy}-{outcome.case.preset}.html"
                page.write_text(report_page(outcome.record), encoding="utf-8")
        if not any(outcome.record for outcome in done):
            raise CommandError("none of the recordings is there; allowed: a folder that has some")
        (options["out"] / "results.md").write_text(survey_page(done), encoding="utf-8")
        self.stdout.write(f"wrote results.md, and {sum(one.record is not None for one in done)} reports")


def _told(outcome: Outcome) -> str:
    words = outcome.reason if outcome.record is None else verdict(outcome.record).words
    return f"{outcome.case.strategy}, {outcome.case.name}, {outcome.seconds:.0f} s: {words}"
