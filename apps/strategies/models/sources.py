"""The text of the user's own strategies: every version there was, and which one runs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class SourceStatus(models.TextChoices):
    """What became of a version when it was tried."""

    GOOD = "good", "loads"
    BROKEN = "broken", "cannot be loaded"
    HELD = "held", "waits: parameters of a running strategy do not fit"


class StrategySource(models.Model):
    """One version of one strategy of the operator's folder.

    Written by the dispatcher beside that folder and by nobody else: workers run what is in here. `seal` is made with
    the platform's secret key over what the row says, so that who can only write to the database cannot make workers
    run anything. `current` is the version that runs, the last good one.
    """

    kind = models.CharField(max_length=64)
    file = models.CharField(max_length=200)
    code_hash = models.CharField(max_length=64)
    files = models.JSONField(default=dict)
    presets = models.JSONField(default=list)
    status = models.CharField(max_length=8, choices=SourceStatus)
    error = models.TextField(blank=True)
    seal = models.CharField(max_length=64, blank=True)
    current = models.BooleanField(default=False)
    seen_at = models.DateTimeField()

    class Meta:
        """A version is one row; a strategy has one version that runs."""

        ordering = ["kind", "-seen_at"]
        verbose_name = "own strategy"
        verbose_name_plural = "own strategies"
        constraints = [
            models.UniqueConstraint(fields=["kind", "code_hash"], name="source_once"),
            models.UniqueConstraint(fields=["kind"], condition=Q(current=True), name="source_one_current"),
        ]

    def __str__(self) -> str:
        """Return strategy and version."""
        return f"{self.kind} {self.code_hash[:12]}"
