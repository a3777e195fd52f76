"""Rehearsals of the kill switch: asked for, carried out by the guard, and what they found."""

from __future__ import annotations

from django.db import models

from apps.exchanges.models import ScopeKind


class DrillRun(models.Model):
    """One rehearsal on paper. Times in ms from the halt's commit; None: it did not come to that."""

    class State(models.TextChoices):
        """How far it has got. FAILED: it found something, or could not be ended; `problems` says what."""

        WAITING = "waiting"
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"

    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    flatten = models.BooleanField(default=False)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    asked_by = models.CharField(max_length=100)
    asked_at = models.DateTimeField(db_index=True)
    worker = models.CharField(max_length=100, blank=True)
    worker_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    orders_before = models.PositiveIntegerField(null=True)
    positions_before = models.PositiveIntegerField(null=True)
    first_cancel_ms = models.FloatField(null=True)
    done_ms = models.FloatField(null=True)
    problems = models.JSONField(default=list)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return scope, state and what it found."""
        found = f": {'; '.join(self.problems)}" if self.problems else ""
        return f"drill of {self.scope_kind}:{self.scope_key} {self.state}{found}"
