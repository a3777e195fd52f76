"""How long things may take. Real seconds, because sockets and processes do not replay."""

from __future__ import annotations

from datetime import datetime, timedelta

from moondev.domain.clock import Clock
from moondev.domain.errors import RateLimited

# The longest a request to a venue takes before its client gives up (connect 2 s, read 5 s), with room for the CPU.
REQUEST_SECONDS = 8.0
# A lease outlives a request, so a sender that still holds it when it sends holds it when the answer comes.
LEASE_SECONDS = 12.0
# So many leases ahead of our clock the lease of another machine may end: clocks are not further apart than that.
FORESIGHT = 3
# How long the venue may still accept an order after it was signed.
VENUE_WINDOW_SECONDS = 5.0
# "Never heard of it" counts only this long after the venue's window has closed, and twice this far apart.
DENIAL_MARGIN_SECONDS = 2.0
# How long, at most and at least, what a venue or our own budgets kept back waits before it is tried again.
BACK_OFF_SECONDS = 10.0
SHORTEST_BACK_OFF_SECONDS = 0.2


def lasting(clock: Clock, real_seconds: float) -> timedelta:
    """Return how much of the run's time passes in `real_seconds`; a clock that stands still counts as real time."""
    pace = clock.wall_seconds(1.0)
    return timedelta(seconds=real_seconds / pace if pace > 0 else real_seconds)


def again_at(clock: Clock, error: RateLimited) -> datetime:
    """Return when to try again what was refused for being too much at once."""
    wait = max(min(error.retry_after_seconds, BACK_OFF_SECONDS), SHORTEST_BACK_OFF_SECONDS)
    return clock.now() + lasting(clock, wait)
