"""Write what happened into a file: ``manage.py export fills --from 2026-01-01 --to 2026-02-01 --format parquet``."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.monitor.analytics.exports.columns import Export, Method, Wanted, file_name
from apps.monitor.analytics.exports.formats import FORMATS
from apps.monitor.analytics.exports.writing import EXPORTS, export_named, export_note, export_write
from apps.monitor.analytics.moments import moment_named
from apps.monitor.analytics.period import Period
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

DAYS = 30


class Command(PromptCommand):
    """Export orders, fills, ledger, positions, equity, round trips or tax lots."""

    help = "Write " + "; ".join(f"{kind}: {export.says}" for kind, export in EXPORTS.items())

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what, of when and of whom, and where to."""
        parser.add_argument("kind", choices=list(EXPORTS))
        parser.add_argument("--format", choices=list(FORMATS), default="csv")
        parser.add_argument("--from", default="", help=f"first moment, such as 2026-01-01 (default: {DAYS} days ago)")
        parser.add_argument("--to", default="", help="first moment that is not in it any more (default: now)")
        parser.add_argument("--account", help="only this account's")
        parser.add_argument("--strategy", help="only this strategy's")
        parser.add_argument("--method", choices=[*Method], default=Method.FIFO, help="of tax lots (default fifo)")
        parser.add_argument("--out", type=Path, help="file to write (default: in this folder, named after what it is)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file and say how much is in it."""
        export = export_named(options["kind"])
        try:
            wanted = _wanted(options)
            path = options["out"] or Path(file_name(export, wanted, options["format"]))
            count = export_write(export, wanted, options["format"], path)
        except InvalidValue as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or options['out']}: {error.strerror or error}") from error
        export_note(export, wanted, count)
        self.stdout.write(_said(export, count, path))


def _wanted(options: dict[str, Any]) -> Wanted:
    end = moment_named("to", options["to"]) if options["to"] else process_clock().now()
    start: datetime = moment_named("from", options["from"]) if options["from"] else end - timedelta(days=DAYS)
    return Wanted(Period(start, end), options["account"], options["strategy"], Method(options["method"]))


def _said(export: Export, count: int, path: Path) -> str:
    return f"{count} rows of {export.schema_name} in {path}"
