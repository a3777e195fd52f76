"""Print the table of what venues can do, or write it into the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from apps.exchanges.capability_table import capability_table, notes, with_tables
from moondev.commands import PromptCommand


class Command(PromptCommand):
    """``manage.py venue_tables [--write]``."""

    help = "Print what venues can do; with --write, put it into apps/exchanges/venues/README.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the one option."""
        parser.add_argument("--write", action="store_true", help="write the README instead of printing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write."""
        if not options["write"]:
            self.stdout.write(f"{capability_table()}\n\n{notes()}")
            return
        page = Path(settings.BASE_DIR) / "apps" / "exchanges" / "venues" / "README.md"
        page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"wrote {page.relative_to(settings.BASE_DIR)}")
