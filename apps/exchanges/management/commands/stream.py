"""Listen to one venue: ``manage.py stream market|user --venue hyperliquid``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.execution.dead_man import dead_man_for
from apps.exchanges.execution.rearming import Rearming
from apps.exchanges.execution.sweeper import DoubtWatch, sweep
from apps.exchanges.execution.watchman import WATCH_SECONDS, Watchman
from apps.exchanges.market_data.cache import MarketCache, process_redis
from apps.exchanges.market_data.service import market_process, run_until_signalled, user_process, venue_named
from apps.exchanges.market_data.stream import MarketStreamProcess
from apps.exchanges.models import Venue
from apps.exchanges.orders.hints import Hints
from apps.exchanges.orders.protection import brackets_arm, protection_look
from apps.exchanges.orders.user_events import apply_user_events
from apps.exchanges.orders.user_stream import UserStreamProcess
from apps.exchanges.ports import FillBatch, UserEvent
from apps.exchanges.registry import capabilities
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration
from moondev.heartbeat.heart import beating


class Command(PromptCommand):
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
                _run(market_process(venue), f"stream-market-{venue.code}")
            else:
                _run(_user_process(venue), f"stream-user-{venue.code}")
        except Configuration as error:
            raise CommandError(str(error)) from error


def _run(process: MarketStreamProcess | UserStreamProcess, name: str) -> None:
    with beating(name) as pulse:
        process.turned = pulse.turn
        run_until_signalled(process)


def _user_process(venue: Venue) -> UserStreamProcess:
    """Return the process that books what `venue` says, and looks twice a second after what messages lost."""
    clock = process_clock()
    able = capabilities(venue.protocol)
    hints, doubts = Hints(venue.code, clock), DoubtWatch(venue.code, clock)
    rearming = Rearming(venue.code, clock, MarketCache(process_redis()))

    def apply(account_id: int, events: Sequence[UserEvent]) -> None:
        apply_user_events(account_id, events)
        if any(isinstance(event, FillBatch) for event in events):
            brackets_arm(venue.code, clock.now())
        hints.note(account_id, events)

    def look_after() -> None:
        sweep(venue.code, clock.now())
        protection_look(venue.code, able, clock.now())
        rearming.look()
        hints.look()
        doubts.look()

    dead_man = dead_man_for(venue, clock)
    process = user_process(venue, apply, look_after, None if dead_man is None else dead_man.look)
    process.beside("watchman", Watchman(venue.code, clock, MarketCache(process_redis())).look, WATCH_SECONDS)
    return process
