"""Keys of programs: kept as a digest, so that nobody can read one here."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class ApiToken(models.Model):
    """What a program shows instead of a login. It may do what its user may, within its scopes, until it expires.

    `prefix` is the part by which it is found and named; `digest` is the SHA-256 of the secret, which has 256 random
    bits, so a slow hash would add nothing. `networks` empty: it works from anywhere.
    """

    name = models.CharField(max_length=80, help_text="What uses it.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=20), help_text="What it may be used for.")
    networks = ArrayField(
        models.CharField(max_length=50), default=list, blank=True, help_text="From where; empty is anywhere."
    )
    created_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=45, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        """Newest first."""

        verbose_name = "API token"
        ordering = ["-id"]

    def __str__(self) -> str:
        """Return name and prefix; never the secret, which is not here."""
        return f"{self.name} ({self.prefix})"
