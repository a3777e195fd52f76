"""What everything is worth, risks and has made: ``manage.py portfolio``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from apps.exchanges.models.venues import Environment
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.table import COLUMNS, cells, levels
from apps.risk.portfolio.truth import Truth, read_truths
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock


class Command(PromptCommand):
    """Ends with 1 when the equity of an environment is not known, so that a monitor may call it."""

    help = (
        "Show the portfolio truth that risk_guard last wrote: in total, by portfolio, account, venue, strategy, asset."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the environment and the format."""
        parser.add_argument("--environment", choices=Environment.values, help="only this one (default: all)")
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the truth of every environment that has one."""
        chosen = options["environment"]
        found = read_truths(process_clock().now())
        truths = [truth for name, truth in found.items() if chosen in {None, name}]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(truth) for truth in truths], default=str, indent=1))
        else:
            for truth in truths:
                self._print(truth)
        if not truths:
            self.stderr.write("risk_guard has written nothing yet")
        if not truths or any(truth.total.equity is None for truth in truths):
            raise SystemExit(1)

    def _print(self, truth: Truth) -> None:
        self.stdout.write(f"\n{truth.environment}, in {truth.currency}")
        for name, rows in levels(truth).items():
            if rows:
                self._print_table(name, rows)
        if truth.total.why:
            self.stdout.write(f"\n  not known: {truth.total.why}")

    def _print_table(self, name: str, rows: Mapping[str, Figures]) -> None:
        self.stdout.write("\n" + f"  {name:<20}" + "".join(f"{column:>15}" for column in COLUMNS))
        for key, figures in rows.items():
            self.stdout.write(f"  {key[:20]:<20}" + "".join(f"{cell:>15}" for cell in cells(figures)))


def _as_json(truth: Truth) -> dict[str, Any]:
    tables = {name: {key: asdict(figures) for key, figures in rows.items()} for name, rows in levels(truth).items()}
    return {"environment": truth.environment, "currency": truth.currency, **tables}
