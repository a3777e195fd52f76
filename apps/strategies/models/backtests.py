"""Backtests that were asked for: what was asked, how far it is, and what came of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.strategies.models.strategies import StrategyRow


class BacktestStatus(models.TextChoices):
    """Where a backtest stands. QUEUED and RUNNING are outstanding, the others final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OUTSTANDING = (BacktestStatus.QUEUED, BacktestStatus.RUNNING)


class BacktestRun(models.Model):
    """One backtest.

    `request` is what was asked for, whole: any worker can run it. `lease` is drawn by the one that does and holds
    until `leased_until`; whatever it stores names the lease, so a row that was cancelled or taken over is left alone.
    `facts` and `metrics` are filled when it is done; the curve lies in `BacktestArchive`.
    """

    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=64, help_text="Name in the strategy library.")
    preset = models.CharField(max_length=64, blank=True)
    strategy = models.ForeignKey(
        StrategyRow, on_delete=models.SET_NULL, null=True, blank=True, related_name="backtests"
    )
    parameters_version = models.PositiveIntegerField(null=True, blank=True)
    request = models.JSONField()
    status = models.CharField(max_length=9, choices=BacktestStatus, default=BacktestStatus.QUEUED)
    progress = models.FloatField(default=0.0, help_text="From 0 to 1.")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease = models.CharField(max_length=64, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    code_hash = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        """Newest first; the partial index is what the sweeper reads."""

        ordering = ["-id"]
        verbose_name = "backtest"
        constraints = [
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="backtest_progress_fraction")
        ]
        indexes = [
            models.Index(
                fields=["status", "leased_until"],
                condition=Q(status__in=["queued", "running"]),
                name="backtest_outstanding",
            )
        ]

    def __str__(self) -> str:
        """Return number and title."""
        return f"{self.pk}: {self.title}"

    @property
    def outstanding(self) -> bool:
        """Return whether it has not ended."""
        return self.status in OUTSTANDING


class BacktestArchive(models.Model):
    """The curve, the trades and the price of one run as Parquet; in a table of its own, so that lists stay light."""

    run = models.OneToOneField(BacktestRun, on_delete=models.CASCADE, primary_key=True, related_name="archive")
    curve = models.BinaryField()
    trades = models.BinaryField()
    prices = models.BinaryField()

    def __str__(self) -> str:
        """Return whose it is."""
        return f"archive of backtest {self.run_id}"
