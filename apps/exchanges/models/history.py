"""How long market data is kept, and where."""

from __future__ import annotations

from django.db import models


class HistoryPolicy(models.Model):
    """One row per kind of market data. Empty: for ever.

    After `hot_days` whole partitions leave the database for the Parquet lake; after `keep_days` the data is
    deleted from both. Books and marks lie in the lake alone. `partitions_ahead` are made before they are needed,
    so that no write waits for one.
    """

    class Kind(models.TextChoices):
        """What is kept."""

        CANDLES = "candles", "candles"
        TRADES = "trades", "trades"
        FUNDING = "funding", "funding rates"
        BOOKS = "books", "order books"
        MARKS = "marks", "mark prices"

    kind = models.CharField(max_length=10, primary_key=True, choices=Kind)
    hot_days = models.PositiveIntegerField(null=True, blank=True, help_text="Days in the database; empty: for ever.")
    keep_days = models.PositiveIntegerField(null=True, blank=True, help_text="Days in all; empty: for ever.")
    partitions_ahead = models.PositiveSmallIntegerField(default=2)

    class Meta:
        """What goes to the lake must go before it is deleted."""

        db_table = "exchanges_history_policy"
        verbose_name_plural = "history policies"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(keep_days__isnull=True)
                | models.Q(hot_days__isnull=True)
                | models.Q(keep_days__gt=models.F("hot_days")),
                name="history_kept_longer_than_hot",
            ),
        ]

    def __str__(self) -> str:
        """Return the kind and its two limits."""
        return f"{self.kind}: {self.hot_days or 'all'} days here, {self.keep_days or 'all'} days kept"
