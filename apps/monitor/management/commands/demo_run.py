"""``manage.py demo_run``: the inside of ``demo``, in a process whose environment names the servers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.monitor.demo.ports import ports_from_environment
from apps.monitor.demo.run import Options, run_demo
from apps.monitor.demo.seed import Login
from moondev.settings.env import env_secret


class Command(BaseCommand):
    """Supervises, seeds, watches and reports. Started by ``demo``; not meant to be started by hand."""

    help = "The inside of demo; run demo instead."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how long, on which feed, how fast."""
        parser.add_argument("--for", dest="seconds", type=float)
        parser.add_argument("--feed", type=Path)
        parser.add_argument("--speed", type=float, default=1.0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and exit with the run's code."""
        user, _, password = env_secret("FLOWER_BASIC_AUTH").partition(":")
        wanted = Options(
            seconds=options["seconds"],
            feed=options["feed"],
            speed=options["speed"],
            ports=ports_from_environment(),
            login=Login(user, password),
        )
        sys.exit(run_demo(wanted))
