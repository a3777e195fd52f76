"""How alike strategies and assets move, as last measured."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Correlated(models.TextChoices):
    """Whose returns were compared."""

    STRATEGY = "strategy"
    ASSET = "asset"


class Correlation(models.Model):
    """The correlation of two strategies of a portfolio, or of two assets; `value` empty: too few samples to tell.

    `portfolio` is empty for assets, which move alike for everybody. `one` comes before `other`.
    """

    kind = models.CharField(max_length=8, choices=Correlated)
    portfolio = models.CharField(max_length=40, blank=True)
    one = models.CharField(max_length=64)
    other = models.CharField(max_length=64)
    value = models.FloatField(null=True)
    samples = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        """One row per pair, the most alike first."""

        ordering = [F("value").desc(nulls_last=True), "one", "other"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "one", "other"], name="correlation_per_pair"),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__gte=-1, value__lte=1), name="correlation_in_range"
            ),
        ]
        # A tick asks for the few pairs above a limit, of perhaps twenty thousand.
        indexes = [models.Index(fields=["kind", "value"], name="correlation_by_value")]

    def __str__(self) -> str:
        """Return the pair and how alike it is."""
        return f"{self.one} and {self.other}: {'not known' if self.value is None else f'{self.value:.2f}'}"
