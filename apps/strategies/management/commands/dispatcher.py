"""Turn market events into ticks: ``manage.py dispatcher``."""

from __future__ import annotations

import signal
import threading
from typing import Any

from apps.exchanges.market_data.cache import MarketCache, redis_client
from apps.strategies.authoring.watch import watching
from apps.strategies.orchestrator.dispatcher import Dispatcher
from apps.strategies.orchestrator.event_stream import EventStream
from apps.strategies.orchestrator.schedule import schedule_sync
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.heartbeat.heart import beating

# The folder of strategies is not in the middle of anything that could not be broken off.
WATCH_ENDS_SECONDS = 2.0


class Command(PromptCommand):
    """Runs the dispatcher in the foreground until it is told to stop. Two at once do no harm."""

    help = "Read market events and make the strategies they concern due."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        schedule_sync()
        watched = watching(process_clock(), stopped)
        client = redis_client()
        with beating("dispatcher") as pulse:
            Dispatcher(process_clock(), EventStream(client), MarketCache(client), pulse.turn).run(stopped)
        if watched is not None:
            watched.join(WATCH_ENDS_SECONDS)
