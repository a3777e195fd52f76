"""Portfolios, accounts, and the signers' names (never their keys)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest

from apps.exchanges.accounts.transfers import account_adopt_from_venue
from apps.exchanges.admin.amounts import plain
from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.exchanges.models import Account, Portfolio, Signer, Venue
from apps.exchanges.registry import accounts_followed
from moondev.domain.clock import process_clock


@admin.register(Portfolio)
class PortfolioAdmin(NoDeleteAdmin[Portfolio]):
    """The pots that percentage limits refer to."""

    list_display = ["code", "currency", "environment"]
    list_filter = ["environment"]
    search_fields = ["code"]

    def get_readonly_fields(self, request: HttpRequest, obj: Portfolio | None = None) -> list[str]:
        """Freeze what limits and marks already depend on."""
        return ["code", "currency", "environment"] if obj else []


class SignerInline(admin.TabularInline[Signer, Account]):
    """Which keys sign for the account, by the name under which the environment or vault holds them."""

    model = Signer
    extra = 0
    fields = ["purpose", "address", "secret_name"]


class AccountForm(ModelForm[Account]):
    """Keeps paper and live apart."""

    class Meta:
        """Everything an operator may set."""

        model = Account
        fields = ["code", "venue", "portfolio", "address", "currency", "shared", "enabled"]

    def clean_shared(self) -> bool:
        """Refuse to share: opposite positions of two strategies would keep each other's exits and stops from leaving.

        The venue nets them, so an order that shrinks one grows the account's position and is no exit to the review.
        """
        if self.cleaned_data["shared"]:
            raise ValidationError(
                "shared is on; allowed: off, as strategies on opposite sides would block each other's exits and stops"
            )
        return False

    def clean(self) -> dict[str, Any] | None:
        """Refuse an account whose venue and portfolio belong to different worlds or currencies."""
        cleaned = super().clean() or {}
        venue, portfolio = cleaned.get("venue"), cleaned.get("portfolio")
        if venue and portfolio and venue.environment != portfolio.environment:
            raise ValidationError(
                {"portfolio": f"portfolio is {portfolio.environment}; allowed: {venue.environment}, as the venue is"}
            )
        currency = cleaned.get("currency")
        if portfolio and currency and currency != portfolio.currency:
            raise ValidationError(
                {"currency": f"currency is {currency}; allowed: {portfolio.currency}, as the portfolio counts"}
            )
        if venue and cleaned.get("enabled"):
            self._require_room(venue)
        return cleaned

    def _require_room(self, venue: Venue) -> None:
        """Refuse an account of which the venue would not tell us: its fills would come late."""
        others = Account.objects.filter(enabled=True, venue__websocket_url=venue.websocket_url).exclude(
            pk=self.instance.pk
        )
        limit = accounts_followed(venue.protocol)
        if limit is not None and others.count() >= limit:
            raise ValidationError({"enabled": f"enabled accounts are {others.count() + 1}; allowed: {limit} per venue"})


@confirmed_action(
    title="Begin books",
    question="The venue is asked what the account is worth, and our books begin there. What it holds belongs to nobody "
    "until it is assigned. Halt it first if anybody trades on it.",
    permission="adopt",
)
def adopt(account: Account, actor: str, _reason: str) -> str:
    """Begin an account's books at what it is worth now."""
    opening = account_adopt_from_venue(account.pk, actor=actor, now=process_clock().now())
    return f"{account.code}: books begin with {plain(opening.amount)}"


class AccountAdmin(NoDeleteAdmin[Account]):
    """Accounts. A new one starts HALTED: it has no trading state until somebody releases it.

    Registered by the risk floor, which adds what an account may do now.
    """

    form = AccountForm
    list_display = ["code", "venue", "portfolio", "address", "currency", "shared", "enabled"]
    list_filter = ["venue", "portfolio", "enabled", "shared"]
    search_fields = ["code", "address"]
    inlines = [SignerInline]
    actions = [adopt]
    list_select_related = ["venue", "portfolio"]

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> list[str]:
        """Freeze what orders already depend on."""
        return ["code", "venue", "address", "currency"] if obj else []

    def has_adopt_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may book money."""
        return bool(request.user.has_perm("exchanges.add_transfer"))
