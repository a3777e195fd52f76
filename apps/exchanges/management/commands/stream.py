"""Listen to one venue: ``manage.py stream market|user --venue hyperliquid``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.exchanges.execution.sweeper import sweep
from apps.exchanges.market_data.service import market_process, run_until_signalled, user_process, venue_named
from apps.exchanges.orders.user_events import apply_user_events
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration


class Command(BaseCommand):
    """Runs one of a venue's two stream processes in the foreground until it is told to stop."""

    help = "Keep market data fresh (market), or apply what the venue says of our accounts (user)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which stream, of which venue."""
        parser.add_argument("kind", choices=["market", "user"])
        parser.add_argument("--venue", required=True, help="Code of the venue, such as hyperliquid.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        try:
            venue = venue_named(options["venue"])
            if options["kind"] == "market":
                run_until_signalled(market_process(venue))
            else:
                run_until_signalled(
                    user_process(venue, apply_user_events, lambda: sweep(venue.code, process_clock().now()))
                )
        except Configuration as error:
            raise CommandError(str(error)) from error
