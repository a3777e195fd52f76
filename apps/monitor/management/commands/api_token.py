"""Tokens of programs: ``api_token create|revoke|list``."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from apps.monitor.access.scopes import Scope
from apps.monitor.access.tokens import token_create, token_revoke
from apps.monitor.models import ApiToken
from moondev.commands import PromptCommand
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue


class Command(PromptCommand):
    """Make, end and list API tokens."""

    help = "Make a token and print its secret once (create), end one (revoke), or list them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a token; its secret is the only line on standard output")
        create.add_argument("name", help="what will use it")
        create.add_argument("--user", required=True, help="whose rights it has: a member of staff")
        create.add_argument("--scope", action="append", required=True, choices=list(Scope), help="may be repeated")
        create.add_argument("--days", type=int, default=90, help="how long it works (default 90, at most 366)")
        create.add_argument("--network", action="append", default=[], help="only from there, such as 10.0.0.0/8")
        revoke = actions.add_parser("revoke", help="end a token at once")
        revoke.add_argument("prefix", help="as `list` shows it")
        actions.add_parser("list", help="show every token, never a secret")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except InvalidValue as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise InvalidValue("user", options["user"], "the name of a member of staff")
        now = LiveClock().now()
        token, secret = token_create(
            name=options["name"],
            user=user,
            scopes=options["scope"],
            networks=options["network"],
            expires_at=now + timedelta(days=options["days"]),
            actor=getpass.getuser(),
            now=now,
        )
        self.stderr.write(f"{token} works until {token.expires_at:%F %T} UTC; it is shown this once:")
        self.stdout.write(secret)

    def _revoke(self, options: dict[str, Any]) -> None:
        token = token_revoke(options["prefix"], actor=getpass.getuser(), now=LiveClock().now())
        self.stdout.write(f"{token} has ended")

    def _list(self, options: dict[str, Any]) -> None:
        now = LiveClock().now()
        for token in ApiToken.objects.select_related("user").order_by("pk"):
            state = "revoked" if token.revoked_at else "expired" if token.expires_at <= now else "active"
            used = f"{token.last_used_at:%F %T} from {token.last_used_from}" if token.last_used_at else "never"
            scopes = ",".join(token.scopes)
            self.stdout.write(f"{token.prefix} {state} {token.name} of {token.user}: {scopes}; last used {used}")
