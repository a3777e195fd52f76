"""Channels of notices: ``channel list|test``."""

from __future__ import annotations

import getpass
import socket
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.monitor.alerts.channels.services import channel_test
from apps.monitor.models import Channel
from moondev.commands import PromptCommand
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue


class Command(PromptCommand):
    """List channels, or send a test over one; that ends with 0 only when it was delivered."""

    help = "Show the ways notices go (list), or send a test over one and say how it went (test)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="show every channel and how it does")
        actions.add_parser("test", help="send a test over a channel, switched on or not").add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except InvalidValue as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        for row in Channel.objects.select_related("fallback"):
            state = "on" if row.enabled else "off"
            failing = f", failed {row.failures_in_row} times in a row" if row.failures_in_row else ""
            fallback = f", then {row.fallback.slug}" if row.fallback else ""
            self.stdout.write(f"{row.slug} {row.kind} {state}{fallback}{failing}")

    def _test(self, options: dict[str, Any]) -> None:
        actor = f"{getpass.getuser()}@{socket.gethostname()}"
        tested = channel_test(slug=options["slug"], actor=actor, now=LiveClock().now())
        if not tested.delivered:
            raise CommandError(f"{options['slug']} did not take it: {tested.why}")
        self.stdout.write(f"{options['slug']} took it" + (f" ({tested.why})" if tested.why else ""))
