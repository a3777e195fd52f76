"""How values are written in rows: amounts as decimal text, exactly as the database has them, times as ISO 8601."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal


def amount(value: Decimal | None) -> str | None:
    """Return an amount without an exponent and without zeros that say nothing; None stays None."""
    if value is None:
        return None
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def moment(value: datetime | None) -> str | None:
    """Return a time as ISO 8601; None stays None."""
    return None if value is None else value.isoformat()


def milliseconds_between(earlier: datetime | None, later: datetime | None) -> float | None:
    """Return the time from one moment to another in ms; None when either is not known."""
    if earlier is None or later is None:
        return None
    return round((later - earlier).total_seconds() * 1000, 3)
