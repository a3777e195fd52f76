"""``manage.py up``: every process against the configured servers and venues."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.exchanges.models import Venue
from apps.monitor.demo.ports import busy_ports, ports_from_environment
from apps.monitor.demo.processes import platform_processes
from apps.monitor.demo.supervisor import Supervisor
from moondev.commands import PromptCommand
from moondev.servers.probes import reachable
from moondev.settings.env import env_secret


class Command(PromptCommand):
    """Runs what ``demo`` runs, without the mock exchange and without seeding anything."""

    help = "Run every process against the servers and venues that are configured, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the ground, migrate, start, and look after the processes until a signal comes."""
        ports = ports_from_environment()
        _require_ground()
        if busy := [sentence for sentence in busy_ports(ports) if "MOCK_PORT" not in sentence]:
            raise CommandError("\n".join(busy))
        call_command("migrate", verbosity=0)
        venues = list(
            Venue.objects.filter(enabled=True, code__in=settings.MOONDEV_VENUES).values_list("code", flat=True)
        )
        supervisor = Supervisor(environment=os.environ, folder=settings.BASE_DIR, logs=settings.RUN_DIR / "logs")
        signal.signal(signal.SIGTERM, _exit)
        try:
            supervisor.start(platform_processes(venues, ports))
            self.stdout.write(f"running for {venues or 'no venue yet: add one at'} http://localhost:{ports.web}/admin/")
            while True:
                for sentence in supervisor.check():
                    self.stderr.write(sentence)
                time.sleep(0.2)
        except KeyboardInterrupt:
            self.stdout.write("stopping ...")
        finally:
            supervisor.stop()


def _require_ground() -> None:
    """Refuse to start without the servers."""
    named = {
        "DATABASE_URL": env_secret("DATABASE_URL"),
        "BROKER_URL": settings.BROKER_URL,
        "REDIS_URL": settings.REDIS_URL,
    }
    silent = [name for name, url in named.items() if not reachable(url)]
    if silent:
        raise CommandError(f"nothing answers at {', '.join(silent)}: set them in .env, or run docker/services start")


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
