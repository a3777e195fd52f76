"""The only clock: everything that needs the time is handed one of these.

A live process reads the machine's clock, a test holds a fixed one, and every process of a replay
shares one affine clock, so that recorded minutes pass at any speed and all agree on the time.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from moondev.domain.errors import InvalidValue

CLOCK_VARIABLE = "MOONDEV_CLOCK"


class Clock(Protocol):
    """Tells the time of this run, aware and in UTC."""

    def now(self) -> datetime:
        """Return the current time of the run."""
        ...

    def wall_seconds(self, run_seconds: float) -> float:
        """Return how many real seconds `run_seconds` of the run take; for sleeps and time-outs."""
        ...


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970-01-01 UTC."""
    return round(require_aware("moment", moment).timestamp() * 1000)


def from_milliseconds(stamp_ms: float) -> datetime:
    """Return the aware UTC time of `stamp_ms` milliseconds since 1970. Raises InvalidValue beyond the calendar."""
    try:
        return datetime.fromtimestamp(stamp_ms / 1000, tz=UTC)
    except (OSError, OverflowError, ValueError) as error:
        # Which of them depends on how far beyond; a venue's stamp may be any number.
        raise InvalidValue("stamp_ms", stamp_ms, "milliseconds within the years 1 to 9999") from error


def require_aware(field: str, moment: datetime) -> datetime:
    """Return `moment`. Raises InvalidValue when it carries no time zone."""
    if moment.tzinfo is None:
        raise InvalidValue(field, moment, "a time with a time zone")
    return moment


class LiveClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(tz=UTC)

    def wall_seconds(self, run_seconds: float) -> float:
        """Return `run_seconds`: live time passes at its own speed."""
        return run_seconds


class FixedClock:
    """A clock that stands still until it is moved; for tests and the bar replay."""

    def __init__(self, moment: datetime) -> None:
        """Start at `moment`, which must be aware."""
        self._moment = require_aware("moment", moment)

    def now(self) -> datetime:
        """Return the time last set."""
        return self._moment

    def advance(self, by: timedelta) -> None:
        """Move the clock by `by`. Raises InvalidValue when that is backwards."""
        if by < timedelta(0):
            raise InvalidValue("by", by, "zero or a step forwards")
        self._moment += by

    def wall_seconds(self, run_seconds: float) -> float:
        """Return zero: nobody waits on a clock that stands still."""
        return 0.0 * run_seconds


@dataclass(frozen=True, slots=True)
class ReplayClock:
    """An affine clock: at wall time `wall0` it is `t0`, and time passes `speed` times as fast."""

    t0: datetime
    wall0: datetime
    speed: float

    def __post_init__(self) -> None:
        """Refuse naive times and a speed that is not above zero."""
        require_aware("t0", self.t0)
        require_aware("wall0", self.wall0)
        if not 0 < self.speed < float("inf"):
            raise InvalidValue("speed", self.speed, "a finite number above 0")

    def now(self) -> datetime:
        """Return the replayed time."""
        return self.t0 + (datetime.now(tz=UTC) - self.wall0) * self.speed

    def wall_seconds(self, run_seconds: float) -> float:
        """Return the real seconds in which `run_seconds` of the replay pass."""
        return run_seconds / self.speed

    def to_json(self) -> str:
        """Return the text that `clock_from_json` reads; put it into MOONDEV_CLOCK."""
        return json.dumps({"t0": self.t0.isoformat(), "wall0": self.wall0.isoformat(), "speed": self.speed})


def clock_from_json(text: str) -> Clock:
    """Return a LiveClock for an empty text, else the ReplayClock it describes."""
    if not text:
        return LiveClock()
    try:
        fields = json.loads(text)
        return ReplayClock(
            datetime.fromisoformat(fields["t0"]),
            datetime.fromisoformat(fields["wall0"]),
            float(fields["speed"]),
        )
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise InvalidValue(CLOCK_VARIABLE, text, "JSON with t0, wall0 and speed") from error


@lru_cache(maxsize=1)
def process_clock() -> Clock:
    """Return this process's clock, read once from MOONDEV_CLOCK (live when unset)."""
    return clock_from_json(os.environ.get(CLOCK_VARIABLE, ""))


def wall_nanoseconds() -> int:
    """Return the machine's time, in nanoseconds since 1970: for what is told to other systems, never for decisions."""
    return time.time_ns()


def monotonic() -> float:
    """Return seconds of a clock that never jumps; for measuring durations only."""
    return time.monotonic()
