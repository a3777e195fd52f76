"""Read the audit trail and prove that nobody has touched it: ``audit verify|head|show``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.monitor.audit.verify import Anchor, verify
from apps.monitor.models import AuditEntry, AuditHead
from moondev.commands import PromptCommand
from moondev.domain.errors import InvalidValue

MOST_FLAWS = 50


class Command(PromptCommand):
    """The audit trail. `verify` ends with 0 only when the chain is whole."""

    help = "Check the audit trail (verify), print where it ends (head), or show its latest entries (show)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        parser.add_argument("action", choices=["verify", "head", "show"])
        parser.add_argument(
            "--anchor", action="append", default=[], help="seq:hash that an earlier verify has printed; may be repeated"
        )
        parser.add_argument("--last", type=int, default=20, help="how many entries to show (default 20)")
        parser.add_argument("--actor", default="", help="show only this actor's")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        getattr(self, f"_{options['action']}")(options)

    def _verify(self, options: dict[str, Any]) -> None:
        try:
            checked = verify([Anchor.parsed(text) for text in options["anchor"]])
        except InvalidValue as error:
            raise CommandError(str(error)) from error
        for flaw in checked.flaws[:MOST_FLAWS]:
            self.stdout.write(f"  entry {flaw.seq} {flaw.words}")
        if checked.flaws:
            raise CommandError(f"the trail was touched: {len(checked.flaws)} flaws in {checked.entries} entries")
        self.stdout.write(f"whole: {checked.entries} entries. Note this where the database's owner cannot write:")
        self.stdout.write(f"{checked.head.seq}:{checked.head.hash}")

    def _head(self, options: dict[str, Any]) -> None:
        self.stdout.write(str(AuditHead.objects.filter(pk=1).first() or "empty"))

    def _show(self, options: dict[str, Any]) -> None:
        chosen = {"actor": options["actor"]} if options["actor"] else {}
        for entry in reversed(AuditEntry.objects.filter(**chosen)[: max(1, options["last"])]):
            why = f": {entry.reason}" if entry.reason else ""
            where = f" from {entry.address}" if entry.address else ""
            self.stdout.write(f"{entry.seq} {entry.at:%F %T} {entry.actor}{where} {entry.action} {entry.subject}{why}")
