"""The audit trail. Its rows are written by the database (apps/monitor/audit/chain.sql) and never change."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One thing that somebody did, or something did by itself.

    `seq` has no gaps; `hash` is over this entry and the hash of the one before, so that an entry altered, removed or
    moved shows. `before` and `after` hold what changed.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.TextField()
    address = models.TextField(blank=True)
    action = models.TextField()
    subject = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        """Newest first; found by who, what and about what."""

        verbose_name_plural = "audit trail"
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["actor", "-seq"], name="audit_by_actor"),
            models.Index(fields=["action", "-seq"], name="audit_by_action"),
            models.Index(fields=["subject", "-seq"], name="audit_by_subject"),
        ]

    def __str__(self) -> str:
        """Return who did what to what."""
        return f"{self.seq}: {self.actor} {self.action} {self.subject}"


class AuditHead(models.Model):
    """Where the chain ends. Its one row is also the lock that lets one entry be added at a time."""

    id = models.SmallIntegerField(primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        """Return number and hash, as `audit verify` takes them."""
        return f"{self.seq}:{self.hash}"
