"""Whether there is a database to keep things in."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db import OperationalError, connection


def require_database() -> None:
    """Raise CommandError before minutes of computing, not after, when there is nowhere to keep what comes of it."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(
            f"the database does not answer, so the run cannot be kept; try --no-store ({error})"
        ) from error
