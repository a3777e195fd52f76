"""Moments as the API takes them: with a time zone, in UTC from here on, within the years that anything here knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _in_utc(moment: datetime) -> datetime:
    # Compared first: the ends of the calendar cannot be moved to another zone.
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(f"allowed: {EARLIEST.year} to {LATEST.year}")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
