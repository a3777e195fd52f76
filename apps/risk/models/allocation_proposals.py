"""Proposals of how to share capital: written down when made, done only when a person says so."""

from __future__ import annotations

from django.db import models

from apps.exchanges.models import Portfolio
from apps.exchanges.models.fields import AmountField


class ProposalStatus(models.TextChoices):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    DROPPED = "dropped"


class AllocationProposal(models.Model):
    """One proposal: what each strategy of a portfolio has and should have, and why.

    `lines` are those of `apps.risk.allocation.proposal.Line`, amounts as text; `budget` is what they may have together,
    at most `equity`, the portfolio's at that moment.
    """

    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="proposals")
    terms = models.JSONField()
    lines = models.JSONField()
    budget = AmountField()
    equity = AmountField()
    status = models.CharField(max_length=8, choices=ProposalStatus, default=ProposalStatus.PROPOSED)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return its number and portfolio."""
        return f"proposal {self.pk} for {self.portfolio_id}"
