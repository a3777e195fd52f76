"""Releases that people have asked for: who asked, who confirmed, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.exchanges.models import ScopeKind


class ReleaseRequest(models.Model):
    """One wish to let a scope trade again. It concerns the halt of `epoch` and no later one."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "waits for a second person"
        RELEASED = "released", "released"
        WITHDRAWN = "withdrawn", "withdrawn"

    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    epoch = models.BigIntegerField(help_text="Of the trading state that is to be released.")
    unfinished = models.BooleanField(default=False, help_text="Release although a venue has not been cleared.")
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    asked_by = models.CharField(max_length=100)
    asked_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    closed_by = models.CharField(max_length=100, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; one that waits per scope."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["scope_kind", "scope_key"], condition=Q(state="waiting"), name="release_waits_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="released") | ~Q(closed_by="") & Q(closed_at__gte=F("asked_at")),
                name="release_has_a_releaser",
            ),
        ]

    def __str__(self) -> str:
        """Return scope, state and who asked."""
        return f"{self.scope_kind}:{self.scope_key} {self.state}, asked by {self.asked_by}: {self.reason}"
