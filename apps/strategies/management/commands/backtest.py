"""Try an idea on recorded data: ``manage.py backtest STRATEGY --data FILE``; docs/backtesting.md shows it in use."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.backtest.services import backtest_compute, backtest_keep
from apps.strategies.backtest.terminal import progress_bar, told
from apps.strategies.backtest.verdict import doubts, verdict
from apps.strategies.management.database import require_database
from apps.strategies.management.idea import add_idea, request_of
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError


class Command(PromptCommand):
    """Runs one backtest here and now, prints what came of it and keeps it."""

    help = "Try a strategy on recorded data, fees on; print its figures, keep the run, write a report."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the idea, the data, money, rules and costs."""
        add_idea(parser)
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as one HTML file")
        parser.add_argument("--no-store", action="store_true", help="do not keep the run in the database")
        parser.add_argument("--json", action="store_true", help="print the record as JSON instead of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it. Raises CommandError, before any number is printed, for whatever is wrong with what was given."""
        began = process_clock().now()
        if not options["no_store"]:
            require_database()
        try:
            request = request_of(options)
            with progress_bar(request.title) as on_progress:
                record = backtest_compute(request, Path.cwd(), on_progress)
        except TradingError as error:
            raise CommandError(str(error)) from error
        self._show(record, options)
        if options["report"]:
            options["report"].write_text(report_page(record), encoding="utf-8")
            self.stderr.write(f"report: {options['report']}")
        if not options["no_store"]:
            self._keep(record, request, began)

    def _show(self, record: RunRecord, options: dict[str, Any]) -> None:
        if not options["json"]:
            self.stdout.write(told(record))
            return
        answer = {
            "title": record.title,
            "facts": record.facts.to_json(),
            "metrics": asdict(record.metrics),
            "verdict": verdict(record).words,
            "doubts": doubts(record),
        }
        self.stdout.write(json.dumps(answer, indent=2, allow_nan=False))

    def _keep(self, record: RunRecord, request: BacktestRequest, began: Any) -> None:
        number = backtest_keep(record, request, actor="command line", began=began, now=process_clock().now())
        self.stderr.write(f"kept as backtest {number}: manage.py backtests show {number}")
