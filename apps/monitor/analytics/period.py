"""A stretch of time that figures are about: from `start` on, before `end`, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from moondev.domain.clock import require_aware
from moondev.domain.errors import InvalidValue

# Longer ones are a slip of the pen; ten years are 88,000 hourly points of equity.
LONGEST = timedelta(days=3_660)


@dataclass(frozen=True, slots=True)
class Period:
    """Half open, so that periods side by side count nothing twice. Raises InvalidValue for one that is none."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse naive times, an end that does not follow the start, and more than ten years."""
        require_aware("start", self.start)
        require_aware("end", self.end)
        if self.end <= self.start:
            raise InvalidValue("end", self.end, f"a time after start, {self.start}")
        if self.end - self.start > LONGEST:
            raise InvalidValue("start", self.start, f"at most {LONGEST.days} days before end")

    @classmethod
    def before(cls, end: datetime, days: float) -> Period:
        """Return the last so many days before a moment."""
        return cls(end - timedelta(days=days), end)

    @property
    def days(self) -> float:
        """Return how many days of 24 hours it lasts."""
        return (self.end - self.start) / timedelta(days=1)

    def __str__(self) -> str:
        """Return both ends to the minute."""
        first, last = self.start.astimezone(UTC), self.end.astimezone(UTC)
        return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
