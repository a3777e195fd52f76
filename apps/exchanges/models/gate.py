"""The rows the gate reads immediately before every send. Risk decides what they say."""

from __future__ import annotations

from django.db import models


class TradingMode(models.TextChoices):
    """What a scope may do. The strictest of all scopes an order lies in binds."""

    ACTIVE = "active"
    REDUCING = "reducing", "reducing: exits only"
    HALTED = "halted", "halted: cancels only"


class ScopeKind(models.TextChoices):
    """What a trading state or a limit can be about."""

    EVERYTHING = "everything"
    PORTFOLIO = "portfolio"
    VENUE = "venue"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"


class TradingState(models.Model):
    """The mode of one scope. `scope_key` is a code, slug or instrument key; '*' for everything.

    `epoch` rises with every change, so a halt that was lifted and set again is another halt.
    """

    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    mode = models.CharField(max_length=8, choices=TradingMode, default=TradingMode.HALTED)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=100, blank=True)
    changed_at = models.DateTimeField()
    epoch = models.BigIntegerField(default=1)

    class Meta:
        """One row per scope. An account or portfolio without a row counts as HALTED."""

        constraints = [models.UniqueConstraint(fields=["scope_kind", "scope_key"], name="state_per_scope")]

    def __str__(self) -> str:
        """Return scope and mode."""
        return f"{self.scope_kind}:{self.scope_key} {self.mode}"


class TradingStateChange(models.Model):
    """History of every change of mode: who, when, why, from what to what. Append only."""

    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    mode_from = models.CharField(max_length=8, choices=TradingMode, blank=True)
    mode_to = models.CharField(max_length=8, choices=TradingMode)
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=100)
    at = models.DateTimeField()

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return the change."""
        return f"{self.scope_kind}:{self.scope_key} {self.mode_from} -> {self.mode_to}"
