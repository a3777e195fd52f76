"""Moments as people write them on a command line: a day, or a day and a time; in UTC unless they say otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

from moondev.domain.errors import InvalidValue


def moment_named(field: str, text: str) -> datetime:
    """Return the moment that `text` names. Raises InvalidValue for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(field, text, "a day such as 2026-01-31, or 2026-01-31T08:00 (UTC)") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
