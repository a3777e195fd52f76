"""Backtests that are kept: ``manage.py backtests list|show|compare|cancel``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.strategies.backtest.compare.comparison import compared
from apps.strategies.backtest.compare.page import compare_page
from apps.strategies.backtest.keeping import checks_get, record_get, records_get, runs_get
from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.services import backtest_cancel
from apps.strategies.backtest.terminal import comparison_text, runs_table, told
from apps.strategies.models import BacktestRun
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError


class Command(PromptCommand):
    """Lists, shows, compares and cancels runs."""

    help = "List, show, compare or cancel the backtests that are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do, and with which runs."""
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="the newest runs")
        listed.add_argument("--kind", help="only of this kind of strategy")
        listed.add_argument("--last", type=int, default=20, help="how many (default 20)")
        shown = actions.add_parser("show", help="one run")
        shown.add_argument("id", type=int)
        compare = actions.add_parser("compare", help="runs side by side")
        compare.add_argument("id", type=int, nargs="+")
        for one in (shown, compare):
            one.add_argument("--report", type=Path, metavar="FILE", help="write the page as one HTML file")
        cancel = actions.add_parser("cancel", help="end a run that is queued or running")
        cancel.add_argument("id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError when it is refused."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except TradingError as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        runs = BacktestRun.objects.all()
        if options["kind"]:
            runs = runs.filter(kind=options["kind"])
        found = list(runs[: max(options["last"], 1)])
        self.stdout.write(
            runs_table(found) if found else "nothing is kept yet: manage.py backtest STRATEGY --data FILE"
        )

    def _show(self, options: dict[str, Any]) -> None:
        (run,) = runs_get([options["id"]])
        record = record_get(run)
        self.stdout.write(told(record))
        self._write(options["report"], lambda: report_page(record, checks_get(run)))

    def _compare(self, options: dict[str, Any]) -> None:
        records = records_get(options["id"])
        self.stdout.write(comparison_text(compared(records)))
        self._write(options["report"], lambda: compare_page(records))

    def _cancel(self, options: dict[str, Any]) -> None:
        (run,) = runs_get([options["id"]])
        if not backtest_cancel(run.pk, actor="command line", now=process_clock().now()):
            raise CommandError(f"backtest {run.pk} is {run.status}; allowed: one that is queued or running")
        self.stdout.write(f"cancelled backtest {run.pk}")

    def _write(self, path: Path | None, page: Any) -> None:
        if path is not None:
            path.write_text(page(), encoding="utf-8")
            self.stderr.write(f"report: {path}")
