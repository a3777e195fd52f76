"""Open an account's books or book moved money: ``manage.py account adopt|transfer``."""

from __future__ import annotations

import getpass
import socket
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.accounts.transfers import account_adopt_from_venue, account_by_code, transfer_book
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError
from moondev.domain.values import finite_decimal


class Command(PromptCommand):
    """Changes what our books say an account was given; touches nothing at the venue."""

    help = "Begin an account's books at what the venue says it is worth, or book a deposit or withdrawal."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do and with which account."""
        parser.add_argument("action", choices=["adopt", "transfer"])
        parser.add_argument("account", help="code of the account")
        parser.add_argument("--amount", help="transfer: positive when money came in, negative when it went out")
        parser.add_argument("--reference", help="transfer: what it is known by, such as the venue's transaction id")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError when it is refused."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except TradingError as error:
            raise CommandError(str(error)) from error

    def _adopt(self, options: dict[str, Any]) -> None:
        account = account_by_code(options["account"])
        opening = account_adopt_from_venue(account.pk, actor=_actor(), now=process_clock().now())
        self.stdout.write(f"{account.code}: books begin with {opening.amount:f} at {opening.at:%F %T}")

    def _transfer(self, options: dict[str, Any]) -> None:
        account = account_by_code(options["account"])
        for name in ("amount", "reference"):
            if options[name] is None:
                raise InvalidValue(name, None, f"--{name} with a value, for a transfer")
        booked = transfer_book(
            account_id=account.pk,
            amount=finite_decimal("amount", options["amount"]),
            reference=options["reference"],
            actor=_actor(),
            now=process_clock().now(),
        )
        self.stdout.write(f"{account.code}: {booked.amount:f} booked as {booked.reference!r} at {booked.at:%F %T}")


def _actor() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
