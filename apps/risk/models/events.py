"""What the risk floor noticed or did, for people to find later."""

from __future__ import annotations

from django.db import models

from apps.exchanges.models import ScopeKind


class RiskEvent(models.Model):
    """One thing worth knowing: a breach, a veto, a drill, a counter that had drifted. Append only."""

    class Kind(models.TextChoices):
        """What it is about."""

        BREACH = "breach", "a limit was broken"
        VETO = "veto", "a veto was engaged"
        RELEASE = "release", "a veto was released"
        DRIFT = "drift", "an exposure counter had drifted"
        DRILL = "drill", "the kill switch was rehearsed"

    kind = models.CharField(max_length=8, choices=Kind)
    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    actor = models.CharField(max_length=100)
    message = models.CharField(max_length=300)
    at = models.DateTimeField(db_index=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return scope and message."""
        return f"{self.scope_kind}:{self.scope_key} {self.message}"
