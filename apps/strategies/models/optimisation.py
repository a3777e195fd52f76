"""Searches for parameters: a run with its plan, and one row per trial."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class OptimisationStatus(models.TextChoices):
    """Where a run stands. QUEUED and RUNNING are outstanding; the others can be taken up again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TrialStatus(models.TextChoices):
    """Where a trial stands. WAITING and RUNNING are open, the others final.

    PRUNED is a sample that the parameter model or the data refused; FAILED one whose backtest raised.
    """

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    PRUNED = "pruned"
    FAILED = "failed"


OPEN_TRIALS = (TrialStatus.WAITING, TrialStatus.RUNNING)
OPEN_RUNS = (OptimisationStatus.QUEUED, OptimisationStatus.RUNNING)


class OptimisationRun(models.Model):
    """One search.

    `plan` is what was asked for, whole: any worker can go on with it. `size` is how many trials there will be, `lanes`
    how many workers of the queue may work at it at once (0: those of one command line only). `report` is filled when
    it is done.
    """

    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=64, help_text="Name in the strategy library.")
    plan = models.JSONField()
    size = models.PositiveIntegerField()
    lanes = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=9, choices=OptimisationStatus, default=OptimisationStatus.QUEUED)
    code_hash = models.CharField(max_length=64)
    data_hash = models.CharField(max_length=64)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    report = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        verbose_name = "optimisation"

    def __str__(self) -> str:
        """Return number and title."""
        return f"{self.pk}: {self.title}"


class Trial(models.Model):
    """One parameter set tried.

    `number` counts within the run. `study` is the fold whose past guided the choice; only later folds may choose it.
    `lease` is drawn by the worker that has it and holds until `leased_until`; a result is stored only by the holder,
    so a trial that was taken over or delivered twice counts once. `scores` has one list per fold, larger is better,
    null where the trial is no answer; `figures` are those of each fold's training and test, and of the whole.
    """

    run = models.ForeignKey(OptimisationRun, on_delete=models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    study = models.PositiveSmallIntegerField(default=0)
    parameters = models.JSONField()
    seed = models.BigIntegerField()
    status = models.CharField(max_length=8, choices=TrialStatus, default=TrialStatus.WAITING)
    scores = models.JSONField(default=list, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    worker = models.CharField(max_length=150, blank=True)
    lease = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)

    class Meta:
        """A number is one row; the partial index is what claims read."""

        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="trial_number_once")]
        indexes = [
            models.Index(fields=["run", "number"], condition=Q(status__in=["waiting", "running"]), name="trial_open")
        ]

    def __str__(self) -> str:
        """Return run and number."""
        return f"{self.run.pk}/{self.number}"
