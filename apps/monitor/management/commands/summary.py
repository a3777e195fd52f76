"""``manage.py summary``: what the platform is doing, now."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import CommandParser

from apps.monitor.api.stream.sources.queue_lengths import QueueLengths
from apps.monitor.demo.screen import Frame, stdout_screen
from apps.monitor.demo.snapshot import as_json, read_cpu_times, take_snapshot, venue_states
from moondev.commands import PromptCommand


class Command(PromptCommand):
    """Prints the totals once as JSON, or keeps showing them."""

    help = "Show ticks, orders, fills, positions, PNL and queue lengths."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to go on."""
        parser.add_argument("--watch", action="store_true", help="keep showing until Ctrl-C")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or watch."""
        with QueueLengths() as queues:
            if options["watch"]:
                _watch(queues)
                return
            self.stdout.write(json.dumps({**as_json(take_snapshot()), "queues": queues.read()}))


def _watch(queues: QueueLengths) -> None:
    began, cpu = time.monotonic(), read_cpu_times()
    with stdout_screen() as screen:
        try:
            while True:
                newer = read_cpu_times()
                frame = Frame(
                    elapsed_s=time.monotonic() - began,
                    note="watching",
                    snapshot=take_snapshot(),
                    queues=queues.read(),
                    steal_percent=newer.steal_percent_since(cpu),
                    restarts=0,
                    venues=venue_states(),
                )
                cpu = newer
                screen.show(frame)
                time.sleep(1.0)
        except KeyboardInterrupt:
            return
