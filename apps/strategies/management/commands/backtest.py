"""Try an idea on recorded data: ``manage.py backtest STRATEGY --data FILE``; docs/backtesting.md shows it in use."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from apps.exchanges.market_data.history.spans import moment_of
from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.requests.asking import Terms, request_for
from apps.strategies.backtest.requests.request import ENGINES, RULES, BacktestRequest
from apps.strategies.backtest.services import backtest_compute, backtest_keep
from apps.strategies.backtest.terminal import progress_bar, told
from apps.strategies.backtest.verdict import doubts, verdict
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError


class Command(BaseCommand):
    """Runs one backtest here and now, prints what came of it and keeps it."""

    help = "Try a strategy on recorded data, fees on; print its figures, keep the run, write a report."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the idea, the data, money, rules and costs."""
        parser.add_argument("strategy", help="a kind such as turtle_trend, or the slug of a strategy of the admin")
        _data_arguments(parser)
        _cost_arguments(parser)
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as one HTML file")
        parser.add_argument("--no-store", action="store_true", help="do not keep the run in the database")
        parser.add_argument("--json", action="store_true", help="print the record as JSON instead of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it. Raises CommandError, before any number is printed, for whatever is wrong with what was given."""
        began = process_clock().now()
        if not options["no_store"]:
            _require_database()
        try:
            request = _request(options)
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


def _require_database() -> None:
    """Say before minutes of computing, not after, that there is nowhere to keep what comes of it."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(
            f"the database does not answer, so the run cannot be kept; try --no-store ({error})"
        ) from error


def _data_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--data", action="append", default=[], metavar="FILE|lake:VENUE:SYMBOL:INTERVAL",
        help="recorded bars, once per instrument; a strategy of the admin has its own when they are kept",
    )  # fmt: skip
    parser.add_argument("--funding", action="append", default=[], metavar="FILE", help="recorded funding, named alike")
    parser.add_argument("--preset", default="", help="parameters of a kind (default canonical)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change one parameter")
    parser.add_argument("--from", dest="start", help="trade from 2025-01-31 on, or 90d ago; what is before is history")
    parser.add_argument("--to", dest="end", help="until then")
    parser.add_argument("--capital", type=float, help="money to begin with (default 100000, or the strategy's)")
    parser.add_argument("--leverage", type=float, help="notional held per unit of equity (default 1)")
    parser.add_argument("--rule", choices=list(RULES), default="next-open", help="where orders fill; default next-open")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="default auto: the fastest that can")


def _cost_arguments(parser: CommandParser) -> None:
    parser.add_argument("--maker-bps", type=float, help="fee of a resting order (default the venue's)")
    parser.add_argument("--taker-bps", type=float, help="fee of a market order (default the venue's)")
    parser.add_argument("--spread-bps", type=float, default=0.0, help="whole spread; market orders pay half of it")
    parser.add_argument("--slippage-bps", type=float, default=0.0, help="what market orders lose beyond that")


def _request(options: dict[str, Any]) -> BacktestRequest:
    now = process_clock().now()
    terms: Terms = {
        "funding": tuple(options["funding"]),
        "start": moment_of("from", options["start"], now) if options["start"] else None,
        "end": moment_of("to", options["end"], now) if options["end"] else None,
        "rule": options["rule"],
        "engine": options["engine"],
        "maker_bps": options["maker_bps"],
        "taker_bps": options["taker_bps"],
        "spread_bps": options["spread_bps"],
        "slippage_bps": options["slippage_bps"],
    }
    if options["capital"] is not None:
        terms["capital"] = options["capital"]
    if options["leverage"] is not None:
        terms["leverage"] = options["leverage"]
    changed = dict(_assignment(text) for text in options["set"])
    return request_for(
        options["strategy"], data=options["data"], preset_name=options["preset"], changed=changed, **terms
    )


def _assignment(text: str) -> tuple[str, Any]:
    """Return name and value of ``name=value``; numbers, true and false are what they look like, all else is text."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InvalidValue("set", text, "NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
