"""Orders to stop: written by risk, carried out by each venue's veto worker."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.exchanges.models.gate import ScopeKind
from apps.exchanges.models.venues import Venue

# Wide on purpose: whoever flattens wants to be out, not well priced.
DEADLINE_SECONDS = 30
SLIPPAGE_BPS = 500


class Veto(models.Model):
    """One halt of one scope at one venue, and how far it has got. Resumable after a crash.

    `done_at` is set only after the venue was twice asked for open orders and had none left
    (and, with `flatten`, no position either); until then the work is taken up again.
    """

    class Stage(models.TextChoices):
        """Steps of a halt, in order."""

        ENGAGED = "engaged"
        CANCELLING = "cancelling"
        FLATTENING = "flattening"
        DONE = "done"
        FAILED = "failed"

    class Urgency(models.TextChoices):
        """Where flattening begins; each goes on to the next when its share of the deadline has passed."""

        PATIENT = "patient", "rest at the touch, then through the book, then at the market"
        BRISK = "brisk", "through the book, then at the market"
        IMMEDIATE = "immediate", "at the market at once"

    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="vetoes")
    scope_kind = models.CharField(max_length=12, choices=ScopeKind)
    scope_key = models.CharField(max_length=80)
    epoch = models.BigIntegerField(help_text="Of the trading state that this carries out.")
    flatten = models.BooleanField(default=False)
    keep_share = models.DecimalField(
        max_digits=4, decimal_places=2, default=0, help_text="The part of each position that flattening leaves."
    )
    urgency = models.CharField(max_length=9, choices=Urgency, default=Urgency.IMMEDIATE)
    deadline_seconds = models.PositiveIntegerField(
        default=DEADLINE_SECONDS,
        help_text="Real seconds from the halt on in which everything should be flat; then people are told.",
    )
    slippage_bps = models.PositiveIntegerField(
        default=SLIPPAGE_BPS, help_text="How far beyond the venue's mark an exit may trade, ever."
    )
    kept = models.JSONField(default=dict, editable=False, help_text="What it leaves of each position, once it looked.")
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=100)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.ENGAGED)
    engaged_at = models.DateTimeField()
    first_cancel_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    worker_until = models.DateTimeField(null=True)
    detail = models.TextField(blank=True)

    class Meta:
        """The same halt reaches a venue once."""

        constraints = [
            models.UniqueConstraint(fields=["venue", "scope_kind", "scope_key", "epoch"], name="veto_once_per_epoch"),
            models.CheckConstraint(condition=Q(deadline_seconds__gte=1), name="veto_deadline_positive"),
            models.CheckConstraint(
                condition=Q(slippage_bps__gte=1) & Q(slippage_bps__lte=5_000), name="veto_slippage_in_bounds"
            ),
        ]
        indexes = [models.Index(fields=["venue", "engaged_at"], condition=Q(done_at__isnull=True), name="veto_open")]

    def __str__(self) -> str:
        """Return scope, venue and stage."""
        return f"{self.scope_kind}:{self.scope_key} at {self.venue_id} {self.stage}"
