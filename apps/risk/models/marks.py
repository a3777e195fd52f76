"""High-water marks: what drawdown is measured from. They survive restarts."""

from __future__ import annotations

from django.db import models

from apps.exchanges.models import ScopeKind
from apps.exchanges.models.fields import AmountField


class HighWaterMark(models.Model):
    """The highest equity a scope has had, and the latest one.

    A deposit or withdrawal scales the peak with the equity, so moving money never looks like profit or
    loss. `funded` is what had been paid in, net, when the mark was taken: the difference to now tells
    how much money has moved since (a strategy: its capital; a portfolio: the sum of transfers but for
    those with which accounts began, each at the rate of its day). `members` are the ids of the accounts
    that a portfolio's equity adds up.
    """

    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    peak = AmountField()
    peak_at = models.DateTimeField()
    equity = AmountField()
    funded = AmountField(default=0)
    marked_at = models.DateTimeField()
    members = models.TextField(blank=True, default="")
    parts = models.JSONField(
        blank=True, default=dict, help_text="Money that had come into each member, net, in its own currency."
    )

    class Meta:
        """One row per scope."""

        constraints = [models.UniqueConstraint(fields=["scope_kind", "scope_key"], name="mark_per_scope")]

    def __str__(self) -> str:
        """Return scope, equity and peak."""
        return f"{self.scope_kind}:{self.scope_key} {self.equity:f} of {self.peak:f}"
