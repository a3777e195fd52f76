"""How long a tick and its orders may take, in real time: deciding and sending do not go faster in a replay."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.exchanges.execution.timing import lasting
from moondev.domain.clock import Clock

# An exit stays worth sending for minutes; what opens ends with its tick's deadline.
REDUCING_VALID = timedelta(minutes=2)


def real_time_from(clock: Clock, now: datetime, real: timedelta) -> datetime:
    """Return the time of the run at which `real` time has passed since `now`."""
    return now + lasting(clock, real.total_seconds())
