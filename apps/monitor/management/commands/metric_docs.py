"""Print the table of metrics, or write it into docs/metrics.md and the dashboards into docker/grafana."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from apps.monitor.metrics.catalogue import table, with_table
from apps.monitor.metrics.grafana.dashboards import FOLDER, dashboard_files
from moondev.commands import PromptCommand

PAGE = settings.BASE_DIR / "docs" / "metrics.md"


class Command(PromptCommand):
    """Keeps what is written for people and for Grafana equal to the code."""

    help = "Print every metric, or write docs/metrics.md and docker/grafana/dashboards."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to write."""
        parser.add_argument("--write", action="store_true", help="write the page and the dashboards")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print, or write."""
        if not options["write"]:
            self.stdout.write(table())
            return
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        files = dashboard_files()
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        for path in FOLDER.glob("*.json"):
            if path not in files:
                path.unlink()
        self.stdout.write(f"wrote {PAGE.name} and {len(files)} dashboards")
