"""Daily and weekly reports as they were written, who gets them by mail, and what became of each letter."""

from __future__ import annotations

from django.db import models

MOST_ERROR = 300


class ReportKind(models.TextChoices):
    """How much time a report is about."""

    DAILY = "daily", "daily"
    WEEKLY = "weekly", "weekly: Monday to Sunday"


class Report(models.Model):
    """One report of a day or a week, as people count them in `zone`. Written once and never changed.

    `html` names its picture `cid:equity`, as a letter does; `picture` is that PNG.
    """

    kind = models.CharField(max_length=6, choices=ReportKind)
    first_day = models.DateField()
    zone = models.CharField(max_length=60)
    start = models.DateTimeField()
    end = models.DateTimeField()
    made_at = models.DateTimeField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    picture = models.BinaryField(default=b"")

    class Meta:
        """One of a kind for each period, whoever writes it."""

        ordering = ["-start", "kind"]
        constraints = [models.UniqueConstraint(fields=["kind", "first_day", "zone"], name="report_once")]

    def __str__(self) -> str:
        """Return the subject."""
        return self.subject


class ReportRecipient(models.Model):
    """Somebody who gets reports by mail. While no mail server is set nobody gets any."""

    address = models.EmailField(unique=True)
    daily = models.BooleanField(default=False)
    weekly = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)

    class Meta:
        """By address."""

        ordering = ["address"]

    def __str__(self) -> str:
        """Return the address."""
        return self.address


class LetterState(models.TextChoices):
    """What became of a letter. UNKNOWN: the server was told and said nothing; it is not sent again by itself."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ReportLetter(models.Model):
    """A report on its way to one address. One row each, so that nobody gets one twice."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="letters")
    address = models.EmailField()
    state = models.CharField(max_length=8, choices=LetterState, default=LetterState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=MOST_ERROR, blank=True)

    class Meta:
        """Once to an address."""

        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["report", "address"], name="letter_once")]

    def __str__(self) -> str:
        """Return address and state."""
        return f"{self.address}: {self.state}"
