"""Ask of an idea whether its backtest may be believed: ``manage.py honesty STRATEGY --data FILE``.

docs/backtests/honesty.md says what each check asks and how it is computed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.honesty.case import Case, Trials
from apps.strategies.backtest.honesty.check import Check, CheckCode, Limit
from apps.strategies.backtest.honesty.gate import REQUIREMENTS, gate
from apps.strategies.backtest.honesty.limits import LIMITS
from apps.strategies.backtest.honesty.run import codes_of, run_checks
from apps.strategies.backtest.honesty.store import checks_keep, limits_now, requirements_now
from apps.strategies.backtest.honesty.stored_trials import trials_kept
from apps.strategies.backtest.honesty.terminal import checks_table, gate_told, told_as_json
from apps.strategies.backtest.record import RunRecord, record_of
from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.backtest.requests.setting import Prepared, prepare
from apps.strategies.backtest.services import backtest_keep
from apps.strategies.management.database import require_database
from apps.strategies.management.idea import add_idea, assignment, request_of
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError


class Command(PromptCommand):
    """Runs honesty checks here and now, prints and keeps what they found, and exits 1 when a gate stays closed."""

    help = "Check a strategy's backtest for look-ahead, drift, costs, overfitting and luck; exit 1 when a gate fails."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what `backtest` takes, and which questions to ask at what expense."""
        add_idea(parser)
        parser.add_argument("--checks", default="all", help=f"all (default), or some of {','.join(CheckCode)}")
        parser.add_argument(
            "--trials",
            type=int,
            help="parameter sets tried before this one; those of stored searches count anyway",
        )
        parser.add_argument(
            "--grid", action="append", default=[], metavar="NAME=[1,2,3]",
            help="values that the walk forward chooses among; default the neighbourhood of the parameters",
        )  # fmt: skip
        parser.add_argument("--budget", type=int, default=40, help="backtests that one check may run; default 40")
        parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal answers; default 1")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write run and checks as one HTML file")
        parser.add_argument("--no-store", action="store_true", help="do not keep run and checks in the database")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask. Raises CommandError, before any number is printed, for whatever is wrong with what was given."""
        began = process_clock().now()
        if not options["no_store"]:
            require_database()
        try:
            codes = codes_of(options["checks"])
            request = request_of(options)
            prepared = prepare(request, Path.cwd())
            # Without a database it is judged by what is required by default.
            limits, requirements = (LIMITS, REQUIREMENTS) if options["no_store"] else (limits_now(), requirements_now())
            case = _case(prepared, request, limits, options)
            checks = run_checks(case, codes, lambda code: self.stderr.write(f"{code} ..."))
        except TradingError as error:
            raise CommandError(str(error)) from error
        lacks = gate(checks, [one for one in requirements if one.check in codes])
        told = told_as_json(checks, lacks)
        text = json.dumps(told, indent=2) if options["json"] else f"{checks_table(checks)}\n{gate_told(lacks)}"
        self.stdout.write(text)
        record = record_of(case.result, prepared.setting, prepared.origin)
        if options["report"]:
            options["report"].write_text(report_page(record, checks), encoding="utf-8")
            self.stderr.write(f"report: {options['report']}")
        if not options["no_store"]:
            self._keep(case, checks, record, request, began)
        if lacks:
            sys.exit(1)

    def _keep(
        self, case: Case, checks: Sequence[Check], record: RunRecord, request: BacktestRequest, began: datetime
    ) -> None:
        now = process_clock().now()
        number = backtest_keep(record, request, actor="command line", began=began, now=now)
        checks_keep(case, checks, actor="command line", now=now)
        self.stderr.write(f"kept as backtest {number}: manage.py backtests show {number}")


def _case(prepared: Prepared, request: BacktestRequest, limits: tuple[Limit, ...], options: dict[str, Any]) -> Case:
    return Case(
        engine=partial(backtest, engine=EngineName(request.engine)),
        loaded=prepared.loaded,
        setting=prepared.setting,
        trials=_trials(prepared.loaded.strategy.name, options),
        grid=dict(_values(text, prepared) for text in options["grid"]),
        limits=limits,
        budget=options["budget"],
        seed=options["seed"],
    )


def _trials(kind: str, options: dict[str, Any]) -> Trials:
    kept = Trials() if options["no_store"] else trials_kept(kind)
    if options["trials"] is None:
        return kept
    # What is stored was tried, whatever one remembers.
    told = Trials(options["trials"])
    return replace(kept, count=max(told.count, kept.count))


def _values(text: str, prepared: Prepared) -> tuple[str, list[Any]]:
    name, values = assignment(text)
    fields = type(prepared.loaded.parameters).model_fields
    if name not in fields:
        raise InvalidValue("grid", name, ", ".join(fields))
    if not isinstance(values, list) or not values:
        raise InvalidValue("grid", text, 'NAME=[1,2,3], for text NAME=["a","b"]')
    return name, values
