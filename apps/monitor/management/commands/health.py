"""Say how every part of the platform does: ``manage.py health``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.monitor.api.stream.sources.words import moment
from apps.monitor.health.deep import look_deep
from apps.monitor.health.local import lives, look_at_local
from apps.monitor.health.states import Component, State, worst
from moondev.commands import PromptCommand
from moondev.domain.clock import LiveClock

EXITS: Mapping[State, int] = MappingProxyType({State.OK: 0, State.DEGRADED: 1, State.UNKNOWN: 1, State.DOWN: 2})


class Command(PromptCommand):
    """Exits with 0 when all is well, 1 when something is degraded or unknown, 2 when something is down."""

    help = "Show the state of every server, venue and process; with --process, of one on this machine alone."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the output's form, and a process."""
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--process", metavar="NAME", help="ask no server: exit 0 when this process works, else 2")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look once and say what was seen."""
        now = LiveClock().now()
        name = options["process"]
        found = look_deep(now) if name is None else [look_at_local(name, settings.BEATS_DIR, now)]
        self.stdout.write(_as_json(found) if options["json"] else _as_lines(found))
        code = EXITS[worst(part.state for part in found)]
        if name is not None:
            code = 0 if lives(found[0]) else EXITS[State.DOWN]
        if code:
            trouble = sum(part.state is not State.OK for part in found)
            raise CommandError(f"{trouble} of {len(found)} are not well", returncode=code)


def _as_json(found: Sequence[Component]) -> str:
    return json.dumps([_row(part) for part in found], indent=2)


def _row(part: Component) -> dict[str, object]:
    return {
        "component": part.component, "kind": part.kind.value, "state": part.state.value, "since": moment(part.since),
        "detail": part.detail, "latency_ms": part.latency_ms, "instances": part.instances,
    }  # fmt: skip


def _as_lines(found: Sequence[Component]) -> str:
    width = max(len(part.component) for part in found)
    return "\n".join(f"{part.component:<{width}}  {part.state.value:<8}  {_words(part)}".rstrip() for part in found)


def _words(part: Component) -> str:
    since = "" if part.since is None else f"since {part.since:%Y-%m-%d %H:%M:%S}"
    took = "" if part.latency_ms is None else f"{part.latency_ms:.0f} ms"
    return "  ".join(words for words in (since, took, part.detail) if words)
