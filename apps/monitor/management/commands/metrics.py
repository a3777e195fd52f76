"""Tell Prometheus what the processes of this machine have counted, and what SQL, Redis and the broker know."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection

from apps.exchanges.market_data.cache import redis_client
from apps.monitor.metrics.counted import CountedFolder
from apps.monitor.metrics.folding import Folding
from apps.monitor.metrics.scrape import Scrape
from apps.monitor.metrics.server import MetricsServer
from moondev.commands import PromptCommand
from moondev.heartbeat.heart import beating

# A server that does not answer is away for this scrape: Prometheus waits ten seconds for all of it.
CONNECT_SECONDS = 2


class Command(PromptCommand):
    """Runs in the foreground until it is told to stop; one per machine."""

    help = "Answer Prometheus on this machine (GET /metrics), or print the metrics once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to listen, or that once is enough."""
        parser.add_argument("--port", type=int, default=9108, help="port to listen on (default 9108)")
        parser.add_argument("--once", action="store_true", help="print all metrics and end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        folder = settings.MOONDEV_METRICS_DIR
        if folder is None:
            raise CommandError("MOONDEV_METRICS_DIR is not set: no process leaves its numbers anywhere")
        connection.settings_dict["OPTIONS"].setdefault("connect_timeout", CONNECT_SECONDS)
        counted = CountedFolder(folder)
        scrape = Scrape(counted, redis_client())
        try:
            if options["once"]:
                self.stdout.write(scrape.answer().decode(), ending="")
            else:
                self._serve(scrape, counted, options["port"])
        finally:
            scrape.close()

    def _serve(self, scrape: Scrape, counted: CountedFolder, port: int) -> None:
        address = (settings.METRICS_ADDRESS, port)
        folding = Folding(counted)
        with beating("metrics") as pulse:

            def turned() -> None:
                pulse.turn()
                folding.look()

            try:
                server = MetricsServer(address, settings.METRICS_NETWORKS, scrape.answer, turned)
            except OSError as error:
                raise CommandError(f"http://{address[0]}:{port}/metrics: {error}") from error
            for number in (signal.SIGINT, signal.SIGTERM):
                # From a thread: the server's own shutdown waits for the loop that this interrupts.
                signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
            # The first answer takes seconds, because every venue's adapter is loaded for its budgets.
            scrape.answer()
            self.stderr.write(f"metrics are at http://{address[0]}:{server.server_port}/metrics")
            with server:
                server.serve_forever()
        sys.exit(0)
