"""How far strategies have come, and the steps up and down: ``manage.py promotion status|approve|promote|demote``."""

from __future__ import annotations

import getpass
import socket
from typing import Any

from django.contrib.auth import authenticate
from django.core.management.base import CommandError, CommandParser

from apps.exchanges.models import Account
from apps.strategies.models import Stage, StrategyRow
from apps.strategies.promotion import services
from apps.strategies.promotion.evidence import version_of
from apps.strategies.promotion.stages import ORDER
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError

MARKS = {True: "passed", False: "NOT PASSED", None: "not known"}


class Command(PromptCommand):
    """Ends with 0 only when what was asked for is done; ``status STRATEGY`` with 1 while a gate has not passed."""

    help = "Show the gates before a strategy, approve it for the next stage, promote it or take it down."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do with which strategy."""
        parser.add_argument("action", choices=["status", "approve", "promote", "demote"])
        parser.add_argument("strategy", nargs="?", default="", help="its slug; status without one shows all")
        parser.add_argument("--to", default="", choices=["", *(stage.value for stage in ORDER)], help="the stage")
        parser.add_argument("--account", default="", help="where real money is, for the step away from paper")
        parser.add_argument("--reason", default="", help="for the record")
        parser.add_argument("--user", default="", help="who approves; the password is asked for")
        parser.add_argument("--skip-gates", action="store_true", help="development only")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError, so that the exit code tells, when it is not done."""
        if options["action"] == "status" and not options["strategy"]:
            for row in StrategyRow.objects.order_by("slug"):
                self.stdout.write(f"{row.slug:<32} {row.stage}")
            return
        row = self._row(options["strategy"])
        try:
            getattr(self, f"_{options['action']}")(row, options)
        except TradingError as error:
            raise CommandError(str(error)) from error

    def _status(self, row: StrategyRow, _options: dict[str, Any]) -> None:
        to = services.next_step(row, version_of(row))
        self.stdout.write(f"{row.slug} is in {Stage(row.stage).label}; before {to.label}:")
        verdicts = services.verdicts(row, to, process_clock().now())
        for verdict in verdicts:
            self.stdout.write(f"  {MARKS[verdict.passed]:<10}  {verdict.requirement}: {verdict.words}")
        if not all(verdict.passed for verdict in verdicts):
            raise CommandError("a gate has not passed")

    def _approve(self, row: StrategyRow, options: dict[str, Any]) -> None:
        user = authenticate(username=options["user"], password=getpass.getpass(f"password of {options['user']}: "))
        if user is None:
            raise CommandError(f"user is {options['user']!r}; allowed: an active user, with the right password")
        to, reason = self._to(row, options), options["reason"]
        services.stage_approve(row.pk, to=to, user=user, reason=reason, now=process_clock().now())
        self.stdout.write(f"approved {row.slug} for {to.label}")

    def _promote(self, row: StrategyRow, options: dict[str, Any]) -> None:
        to, now = self._to(row, options), process_clock().now()
        account = self._account(options["account"]) if options["account"] else None
        act = services.stage_skip if options["skip_gates"] else services.stage_promote
        act(row.pk, to=to, actor=_actor(), reason=options["reason"], now=now, account=account)
        self.stdout.write(f"{row.slug} is in {to.label}")

    def _demote(self, row: StrategyRow, options: dict[str, Any]) -> None:
        to = Stage(options["to"]) if options["to"] else None
        now = process_clock().now()
        row = services.stage_demote(row.pk, to=to, actor=_actor(), reason=options["reason"], now=now)
        self.stdout.write(f"{row.slug} is in {Stage(row.stage).label}")

    def _to(self, row: StrategyRow, options: dict[str, Any]) -> Stage:
        return Stage(options["to"]) if options["to"] else services.next_step(row, version_of(row))

    def _row(self, slug: str) -> StrategyRow:
        row = StrategyRow.objects.filter(slug=slug).first()
        if row is None:
            known = ", ".join(StrategyRow.objects.order_by("slug").values_list("slug", flat=True)) or "there is none"
            raise CommandError(f"strategy is {slug!r}; allowed: {known}")
        return row

    def _account(self, code: str) -> Account:
        account = Account.objects.select_related("venue").filter(code=code, enabled=True).first()
        if account is None:
            raise CommandError(f"account is {code!r}; allowed: an enabled account's code")
        return account


def _actor() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
