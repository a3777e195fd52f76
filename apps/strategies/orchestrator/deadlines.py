"""How long a tick and its orders may take."""

from __future__ import annotations

from datetime import datetime, timedelta

from moondev.domain.clock import Clock

# An exit stays worth sending for minutes; what opens ends with its tick's deadline.
REDUCING_VALID = timedelta(minutes=2)


def real_time_from(clock: Clock, now: datetime, real: timedelta) -> datetime:
    """Return the time of the run at which `real` time has passed.

    Deciding and sending take real time, however fast recorded minutes go by in a replay.
    """
    wall_seconds = clock.wall_seconds(1.0)
    return now + (real / wall_seconds if wall_seconds else real)
