"""Ask a venue what became of everything we are not sure of: ``manage.py reconcile --venue hyperliquid``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.accounts.watched import watched_accounts
from apps.exchanges.models import Account
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.commands import PromptCommand
from moondev.domain.errors import TradingError


class Command(PromptCommand):
    """Reconciles every account of a venue that is enabled or not empty, in full, and says what it found."""

    help = "Put orders, fills, funding and positions of a venue's accounts in step with the venue."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the venue, and one account of it if wanted."""
        parser.add_argument("--venue", required=True, help="Code of the venue, such as hyperliquid.")
        parser.add_argument("--account", help="Code of one account; all without it.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reconcile and print one line per account; the exit code tells whether every question was answered."""
        accounts = watched_accounts().filter(venue_id=options["venue"]).order_by("code")
        if options["account"]:
            accounts = accounts.filter(code=options["account"])
        if not accounts:
            raise CommandError(f"venue {options['venue']!r}: no account in use {options['account'] or ''}".rstrip())
        answered = [self._reconciled(account) for account in accounts]
        if not all(answered):
            raise CommandError("not every question was answered; nothing was concluded from silence")

    def _reconciled(self, account: Account) -> bool:
        try:
            result = reconcile_account(account.pk)
        except TradingError as error:
            self.stderr.write(f"{account.code}: {error}")
            return False
        self.stdout.write(
            f"{account.code}: {result.lapsed} lapsed, {result.resolved} resolved, {result.fills} fills,"
            f" {result.funding} funding payments, {result.adopted} adopted, {result.zombies} zombies"
        )
        if result.equity_difference:
            self.stderr.write(f"{account.code}: ledger less venue is {result.equity_difference.normalize():f}")
        for line in [*result.differences, *result.errors]:
            self.stderr.write(f"{account.code}: {line}")
        return result.complete
