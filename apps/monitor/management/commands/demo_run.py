"""``manage.py demo_run``: the inside of ``demo``, in a process whose environment names the servers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.monitor.demo.outage import read_outage
from apps.monitor.demo.ports import ports_from_environment
from apps.monitor.demo.run import Options, run_demo
from apps.monitor.demo.seed import Login
from apps.monitor.demo.venues import HOME, venues_named
from moondev.commands import PromptCommand
from moondev.settings.env import env_secret


class Command(PromptCommand):
    """Supervises, seeds, watches and reports. Started by ``demo``; not meant to be started by hand."""

    help = "The inside of demo; run demo instead."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how long, on which feed, how fast, at which venues."""
        parser.add_argument("--for", dest="seconds", type=float)
        parser.add_argument("--feed", type=Path)
        parser.add_argument("--speed", type=float, default=1.0)
        parser.add_argument("--venues", default=HOME)
        parser.add_argument("--outage", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and exit with the run's code."""
        user, _, password = env_secret("MOONDEV_DEMO_LOGIN").partition(":")
        # Of the processes started from here, none needs to know it.
        os.environ.pop("MOONDEV_DEMO_LOGIN")
        wanted = Options(
            seconds=options["seconds"],
            feed=options["feed"],
            speed=options["speed"],
            ports=ports_from_environment(),
            login=Login(user, password),
            venues=venues_named(options["venues"]),
            outage=read_outage(options["outage"], options["seconds"]) if options["outage"] else None,
        )
        sys.exit(run_demo(wanted))
