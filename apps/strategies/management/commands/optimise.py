"""Search the parameters of a strategy: ``manage.py optimise STRATEGY --data …``; docs/backtests/optimisation.md."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from apps.strategies.management.idea import add_terms, request_of
from apps.strategies.models import OptimisationRun
from apps.strategies.optimise.asking import add_search_arguments, plan_of
from apps.strategies.optimise.local import run_here
from apps.strategies.optimise.report import report_write
from apps.strategies.optimise.services import optimisation_cancel, optimisation_resume, optimisation_start
from apps.strategies.optimise.terminal import run_text, watched
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError

MOST_WORKERS = 64


class Command(PromptCommand):
    """Starts, resumes, cancels and shows searches."""

    help = "Search the parameters of a strategy by backtests, here or on the research queue."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the strategy, what is searched, on which data, and who does the work."""
        parser.add_argument(
            "strategy", nargs="?", help="a kind, or the slug of a strategy; left out with --resume, --show, --cancel"
        )
        add_search_arguments(parser)
        add_terms(parser)
        parser.add_argument("--workers", type=int, default=2, help="processes on this machine (default 2)")
        parser.add_argument(
            "--lanes", type=int, default=0, metavar="N", help="leave it to N workers of the research queue instead"
        )
        parser.add_argument("--resume", type=int, metavar="RUN", help="go on with a run; what was tried stays tried")
        parser.add_argument("--show", type=int, metavar="RUN", help="print a run as it stands")
        parser.add_argument("--cancel", type=int, metavar="RUN", help="end a run")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write an HTML report, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError when it is refused, or the run failed."""
        try:
            self._handle(options)
        except TradingError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {error}") from error

    def _handle(self, options: dict[str, Any]) -> None:
        if options["cancel"] is not None:
            self._cancel(options["cancel"])
        elif options["show"] is not None:
            self._tell(_run(options["show"]), options)
        else:
            self._work(options)

    def _cancel(self, run_id: int) -> None:
        run = _run(run_id)
        ended = optimisation_cancel(run.pk, actor=getpass.getuser(), now=process_clock().now())
        self.stdout.write(f"cancelled run {run.pk}" if ended else f"run {run.pk} was over: {run.status}")

    def _work(self, options: dict[str, Any]) -> None:
        if not 1 <= options["workers"] <= MOST_WORKERS:
            raise InvalidValue("workers", options["workers"], f"1 to {MOST_WORKERS}")
        run = _resumed(options) if options["resume"] is not None else _begun(options)
        if options["lanes"]:
            self.stdout.write(f"run {run.pk}: {run.size} trials left to the research queue; --show {run.pk} tells")
            return
        self.stderr.write(f"run {run.pk}: {run.title}; --resume {run.pk} goes on with it")
        with watched(run.size) as told:
            run = run_here(run.pk, options["workers"], told)
            told(run)
        self._tell(run, options)
        if run.error:
            raise CommandError(run.error)

    def _tell(self, run: OptimisationRun, options: dict[str, Any]) -> None:
        self.stdout.write(run_text(run))
        if options["report"]:
            report_write(run, options["report"])
            self.stdout.write(f"wrote {options['report']}")


def _begun(options: dict[str, Any]) -> OptimisationRun:
    if not options["strategy"]:
        raise InvalidValue("strategy", None, "a name, or --resume, --show or --cancel with the number of a run")
    # Workers elsewhere know only the shelf; those of this machine see the files as we do.
    folder = None if options["lanes"] else Path.cwd()
    plan = plan_of(request_of(options), options, folder)
    now = process_clock().now()
    return optimisation_start(plan, lanes=options["lanes"], actor=getpass.getuser(), now=now)


def _resumed(options: dict[str, Any]) -> OptimisationRun:
    return optimisation_resume(options["resume"], lanes=options["lanes"], now=process_clock().now())


def _run(run_id: int) -> OptimisationRun:
    run = OptimisationRun.objects.filter(pk=run_id).first()
    if run is None:
        raise InvalidValue("run", run_id, "the number of a stored run")
    return run
