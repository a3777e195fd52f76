"""Ticks: one row per time a strategy was due, which is also its lease and its report."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.strategies.models.strategies import StrategyRow


class TickStatus(models.TextChoices):
    """Where a tick stands. DUE and RUNNING are outstanding; a strategy has at most one such."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class Tick(models.Model):
    """One occasion to decide.

    `event` names what made it due (due time or event id): the same occasion noticed twice is one
    row. `lease` is drawn by the worker that runs it; `record` commits only while `lease` is still
    its own and `deadline` has not passed, so a tick is never executed late or twice.
    """

    strategy = models.ForeignKey(StrategyRow, on_delete=models.CASCADE, related_name="ticks")
    trigger = models.CharField(max_length=8)
    event = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=TickStatus, default=TickStatus.DUE)
    due_at = models.DateTimeField()
    deadline = models.DateTimeField()
    lease = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    decide_ms = models.FloatField(null=True)
    placed = models.PositiveIntegerField(default=0)
    amended = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    parameters_version = models.PositiveIntegerField(default=0)
    code_hash = models.CharField(max_length=64, blank=True)
    report = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        """An occasion is one row; a strategy has one outstanding tick."""

        constraints = [
            models.UniqueConstraint(fields=["strategy", "trigger", "event"], name="tick_once"),
            models.UniqueConstraint(
                fields=["strategy"],
                condition=Q(status__in=["due", "running"]),
                name="tick_one_outstanding",
            ),
        ]
        indexes = [
            models.Index(fields=["-due_at"], name="tick_latest"),
            models.Index(fields=["strategy", "trigger", "-id"], name="tick_latest_of_strategy"),  # missed_bars
        ]

    def __str__(self) -> str:
        """Return strategy, event and status."""
        return f"{self.strategy_id} {self.event} {self.status}"
