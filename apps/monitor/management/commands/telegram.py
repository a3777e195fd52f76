"""Take commands by Telegram: ``manage.py telegram``."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from apps.monitor.alerts.telegram.listening import Listener
from moondev.commands import PromptCommand
from moondev.domain.errors import InvalidValue
from moondev.heartbeat.heart import beating


class Command(PromptCommand):
    """Listens in the foreground until it is told to stop; nothing listens where TELEGRAM_COMMANDS_TOKEN is not set."""

    help = "Take commands by Telegram from the people under Telegram users; see docs/channels.md."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        if not settings.TELEGRAM_COMMANDS_TOKEN:
            raise CommandError("TELEGRAM_COMMANDS_TOKEN is not set: nobody is listened to")
        try:
            listener = Listener(settings.TELEGRAM_COMMANDS_TOKEN)
        except InvalidValue as error:
            raise CommandError(str(error)) from error
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        self.stderr.write("listening to Telegram")
        with beating("telegram") as pulse:
            listener.run(stop, pulse.turn)
