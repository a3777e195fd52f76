"""Print the table of refusal codes, or write it into the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from apps.risk.refusal_table import refusal_table, with_table
from moondev.commands import PromptCommand


class Command(PromptCommand):
    """``manage.py refusal_codes [--write]``."""

    help = "Print the table of refusal codes; with --write, put it into docs/risk.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the one option."""
        parser.add_argument("--write", action="store_true", help="write docs/risk.md instead of printing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write."""
        if not options["write"]:
            self.stdout.write(refusal_table())
            return
        page = Path(settings.BASE_DIR) / "docs" / "risk.md"
        page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"wrote {page.relative_to(settings.BASE_DIR)}")
