"""Portfolios, the accounts in them, the keys that sign for them, and their equity over time."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.exchanges.models.fields import AmountField
from apps.exchanges.models.venues import CODE, Environment, Venue


class Portfolio(models.Model):
    """The pot that every percentage limit refers to. Paper and live never share one."""

    code = models.CharField(max_length=32, primary_key=True, validators=[CODE])
    currency = models.CharField(max_length=10)
    environment = models.CharField(max_length=8, choices=Environment)

    def __str__(self) -> str:
        """Return code and environment."""
        return f"{self.code} ({self.environment})"


class Account(models.Model):
    """One account at one venue.

    `sender`, `sender_until` and `fence` are the lease of the one process that may send for it now:
    each new holder raises `fence`, and a holder whose lease has lapsed must not send.
    """

    code = models.CharField(max_length=32, unique=True, validators=[CODE])
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="accounts")
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="accounts")
    address = models.CharField(max_length=100, help_text="The venue's name of the account.")
    currency = models.CharField(max_length=10, help_text="In which fees and profit are counted.")
    shared = models.BooleanField(
        default=False, help_text="Several strategies may trade one instrument on this account."
    )
    enabled = models.BooleanField(default=True)
    sender = models.CharField(max_length=100, blank=True, editable=False)
    sender_until = models.DateTimeField(null=True, editable=False)
    fence = models.BigIntegerField(default=0, editable=False)
    fills_known_until = models.DateTimeField(
        null=True, editable=False, help_text="Up to here the venue was asked for every fill."
    )
    unreconciled = models.BooleanField(
        default=False, editable=False, help_text="What happened while its stream was down has yet to be asked for."
    )
    differing = models.JSONField(
        default=list, editable=False, help_text="Symbols of which ledger and venue hold different sizes, unexplained."
    )

    class Meta:
        """A venue's account has one row here."""

        constraints = [models.UniqueConstraint(fields=["venue", "address"], name="account_once_per_venue")]

    def __str__(self) -> str:
        """Return the account's code."""
        return self.code


class Signer(models.Model):
    """A key that signs for an account. The key itself lives in the environment or a vault.

    `last_nonce` is the one atomic sequence for all workers of this signer, in milliseconds.
    """

    class Purpose(models.TextChoices):
        """Orders and vetoes sign with keys of their own, so a veto never waits for anyone."""

        ORDERS = "orders"
        VETOES = "vetoes"
        DIRECT = "direct"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="signers")
    purpose = models.CharField(max_length=8, choices=Purpose)
    address = models.CharField(max_length=100)
    secret_name = models.CharField(
        max_length=100, help_text="Environment variable (or NAME_FILE) that holds the private key."
    )
    last_nonce = models.BigIntegerField(default=0, editable=False)

    class Meta:
        """One signer per account and purpose."""

        constraints = [models.UniqueConstraint(fields=["account", "purpose"], name="signer_once_per_purpose")]

    def __str__(self) -> str:
        """Return whose signer this is; never the key."""
        return f"{self.account.code}/{self.purpose}"


class AccountEvent(models.Model):
    """Something about an account that a person should look into. Append only."""

    class Kind(models.TextChoices):
        """What is wrong, or worth knowing."""

        ORPHAN_FILL = "orphan_fill", "a fill whose order we do not know"
        FOREIGN_FILL = "foreign_fill", "a fill nobody here asked for"
        OVERFILL = "overfill", "more filled than ordered"
        ADOPTED_ORDER = "adopted_order", "an order at the venue that we do not know"
        SECOND_WRITER = "second_writer", "somebody else trades on the account"
        ZOMBIE_ORDER = "zombie_order", "an order lives at the venue though our record says it ended"
        ADOPTED_POSITION = "adopted_position", "a position that was there before us"
        POSITION_DIFFERS = "position_differs", "position: ledger and venue differ"
        EQUITY_DIFFERS = "equity_differs", "equity: ledger and venue differ"
        MARK_DIFFERS = "mark_differs", "a price of the venue's that our own market data contradict"
        UNKNOWN_SYMBOL = "unknown_symbol", "a fill in something we do not list"
        FEE_CURRENCY = "fee_currency", "a fee in another currency than the account's"
        UNCANCELLABLE_ORDER = "uncancellable_order", "an order at the venue that no cancel can name"
        UNSIZED_ORDER = "unsized_order", "an order at the venue without a size of its own"
        UNREADABLE_ROW = "unreadable_row", "the venue said something we cannot read"
        UNWATCHED_ORDER = "unwatched_order", "an order waits with us and no price is there to watch it by"
        UNRELEASED_ORDER = "unreleased_order", "an order's trigger was reached and the venue could not be told"
        UNPROTECTED = "unprotected", "a stop or take-profit was lost, or the market has run past it"
        STREAM_REFUSED = "stream_refused", "the venue refuses to tell us of this account"
        DEAD_MAN = "dead_man", "the venue's cancel-on-silence went off, or was refused"
        NOT_FLAT = "not_flat", "a halt could not close a position in time"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=Kind)
    message = models.CharField(max_length=300)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return what happened."""
        return f"{self.kind}: {self.message}"


class EquityMark(models.Model):
    """What the venue said an account is worth, beside what our ledger says, at one moment."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="equity_marks")
    taken_at = models.DateTimeField(db_index=True)
    venue_equity = AmountField()
    ledger_equity = AmountField(null=True)
    unrealised = AmountField()
    margin_used = AmountField()

    class Meta:
        """Newest first; drawdown reads the latest mark and the highest one."""

        indexes = [models.Index(fields=["account", "-taken_at"], name="equity_latest")]
        constraints = [models.CheckConstraint(condition=Q(margin_used__gte=0), name="margin_not_negative")]

    def __str__(self) -> str:
        """Return account, time and worth."""
        return f"{self.account_id} {self.taken_at:%F %T} {self.venue_equity:f}"
