"""What the API has answered to writes that named an idempotency key."""

from __future__ import annotations

from django.db import models


class KeptAnswer(models.Model):
    """One write and its answer. `status` null: it is being worked on, since `started_at`.

    `digest` is over method, address and body: the same key with another digest is another request.
    """

    owner = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    started_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")

    class Meta:
        """A key means one request of its owner."""

        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="answered_once")]

    def __str__(self) -> str:
        """Return whose key and how it ended."""
        return f"{self.owner} {self.key}: {self.status or 'under way'}"
