"""What processes said of themselves when last heard."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """The latest beat of one process, as moondev/heartbeat/beat.py writes it; all of them are in Redis as well."""

    instance = models.CharField(max_length=300, primary_key=True)
    beat = models.JSONField()
    beaten_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return which process."""
        return self.instance
