"""Copy what a venue lists: ``manage.py instruments refresh --venue hyperliquid``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.market_data.service import venue_named
from moondev.commands import PromptCommand
from moondev.domain.errors import TradingError


class Command(PromptCommand):
    """Brings the rows of one venue's instruments into line with the venue."""

    help = "Add, update and put away instruments as the venue lists them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the venue."""
        parser.add_argument("action", choices=["refresh"])
        parser.add_argument("--venue", required=True, help="Code of the venue, such as hyperliquid.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refresh, and say what changed."""
        try:
            venue = venue_named(options["venue"])
            self.stdout.write(f"{venue.code}: {instruments_refresh(venue)}")
        except TradingError as error:
            raise CommandError(str(error)) from error
