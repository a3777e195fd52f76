"""What market data is wanted: data that came down from the floor above."""

from __future__ import annotations

from django.db import models

from apps.exchanges.models.venues import InstrumentRow


class DataWish(models.Model):
    """One owner's wish to have an instrument streamed.

    `interval_seconds` 0 asks for book and trades alone; otherwise `bars` closed bars are kept too.
    `book_move_bps` above 0 asks for an event whenever the mid has moved that far.
    """

    owner = models.CharField(max_length=64)
    instrument = models.ForeignKey(InstrumentRow, on_delete=models.CASCADE, related_name="wishes")
    interval_seconds = models.PositiveIntegerField(default=0)
    bars = models.PositiveIntegerField(default=0)
    book_move_bps = models.FloatField(default=0)

    class Meta:
        """One wish per owner, instrument and interval."""

        constraints = [models.UniqueConstraint(fields=["owner", "instrument", "interval_seconds"], name="wish_once")]

    def __str__(self) -> str:
        """Return owner, instrument and interval."""
        return f"{self.owner} wants {self.instrument_id}/{self.interval_seconds}s"
