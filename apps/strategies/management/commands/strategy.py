"""Strategies of your own: ``manage.py strategy new|check|list|publish|unload``; docs/authoring.md shows each in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from apps.strategies.authoring.checking import check
from apps.strategies.authoring.folder import FolderGone, read
from apps.strategies.authoring.listing import HEAD, aligned, findings_table, library_lines, own_lines
from apps.strategies.authoring.new import strategy_new
from apps.strategies.authoring.publishing import unload
from apps.strategies.authoring.review import Review
from apps.strategies.registry import library_names, strategy_names
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError


class Command(PromptCommand):
    """Writes, checks, lists and unloads strategies."""

    help = "Write a new strategy, check one, list all, load or unload those of your folder."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do, and with which strategy."""
        actions = parser.add_subparsers(dest="action", required=True)
        new = actions.add_parser("new", help="write a strategy that works, and its test")
        new.add_argument("name", help="what it is called: a-z, 0-9 and _")
        new.add_argument("--dir", type=Path, help="where to (default: MOONDEV_STRATEGIES_DIR)")
        one = actions.add_parser(
            "check", help="load a file, decide on made-up bars, look for look-ahead, take the time"
        )
        one.add_argument("path", type=Path)
        actions.add_parser("list", help="say which there are, from where, in which version")
        actions.add_parser("publish", help="look at your folder now, once, as the dispatcher does all the time")
        gone = actions.add_parser("unload", help="let nobody run a strategy of yours any more; its rows are paused")
        gone.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError when it is refused or did not wholly succeed."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except (TradingError, FolderGone) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {error}") from error

    def _new(self, options: dict[str, Any]) -> None:
        folder = options["dir"] or _folder()
        for path in strategy_new(options["name"], folder, _taken()):
            self.stdout.write(f"wrote {path}")

    def _check(self, options: dict[str, Any]) -> None:
        outcome = check(options["path"], library_names())
        if outcome.error:
            raise CommandError(f"{options['path'].name}: {outcome.error}")
        self.stdout.write(f"{outcome.name}: loads; presets {', '.join(outcome.presets)}")
        self.stdout.write(findings_table(outcome.findings))
        failed = [finding for finding in outcome.findings if not finding["passed"] or finding["too_slow"]]
        if failed:
            raise CommandError(f"{outcome.name}: {', '.join(finding['preset'] for finding in failed)} did not pass")

    def _list(self, options: dict[str, Any]) -> None:
        try:
            own, note = own_lines(), ""
        except DatabaseError:
            own, note = [], "the database does not answer: strategies of your own are not listed"
        self.stdout.write("\n".join(filter(None, (aligned([HEAD, *library_lines(), *own]), note))))
        if settings.MOONDEV_STRATEGIES_DIR is None:
            self.stdout.write("MOONDEV_STRATEGIES_DIR is not set: strategies of your own are not looked for")

    def _publish(self, options: dict[str, Any]) -> None:
        Review(library_names(), process_clock()).settle(read(_folder()))
        self._list(options)

    def _unload(self, options: dict[str, Any]) -> None:
        unload(options["name"], "it was unloaded by hand", process_clock())
        self.stdout.write(f"{options['name']} is unloaded; as long as its file is there, a change to it loads it again")


def _folder() -> Path:
    folder: Path | None = settings.MOONDEV_STRATEGIES_DIR
    if folder is None:
        raise InvalidValue("MOONDEV_STRATEGIES_DIR", None, "a folder of your strategies, in .env or the environment")
    return folder


def _taken() -> tuple[str, ...]:
    """Return the names that are taken; without a database, those that can be known."""
    try:
        return strategy_names()
    except DatabaseError:
        return library_names()
