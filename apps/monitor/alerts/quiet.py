"""Quiet hours: a part of the day in some time zone, over midnight if need be, daylight saving included."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from moondev.domain.clock import require_aware


def in_quiet_hours(now: datetime, begins: time | None, ends: time | None, zone: str) -> bool:
    """Return whether it is quiet now: from `begins` until before `ends` on the clocks of `zone`. No hours: never.

    Nor by the clocks of a zone that this machine does not know: one rule's zone must not end the watch for all others.
    """
    if begins is None or ends is None or not is_zone(zone):
        return False
    here = require_aware("now", now).astimezone(ZoneInfo(zone)).time()
    if begins < ends:
        return begins <= here < ends
    return here >= begins or here < ends


def is_zone(name: str) -> bool:
    """Return whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Which of them depends on what the name looks like as a path.
        return False
    return bool(name)
