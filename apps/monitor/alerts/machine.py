"""The life of an alert, pure: pending → firing → (acknowledged) → resolved.

A turn is a function of where it stood, whether it is so now, and the time; taking the same turn twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apps.monitor.models.alerts import AlertState

# Back so often within its cool-down, an alert is believed to be over only after a whole cool-down without it.
FLAPS = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """How long it must be so (`wait`) and not be so (`settle`), and how long it then is the same one (`cool_down`)."""

    wait: timedelta
    settle: timedelta
    cool_down: timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands. `count` is how often it came back; `resolved_at` is kept while it is pending again."""

    state: AlertState
    since: datetime
    fired_at: datetime | None = None
    clear_since: datetime | None = None
    resolved_at: datetime | None = None
    count: int = 0

    @property
    def flapping(self) -> bool:
        """Return whether it keeps coming back."""
        return self.count >= FLAPS


def turn(standing: Standing | None, now: datetime, timing: Timing, *, holds: bool | None) -> Standing | None:
    """Return where an alert stands at `now`; None is nowhere. `holds` None: nobody knows, so nothing begins or ends."""
    if standing is None:
        return _pend(Standing(AlertState.PENDING, now), now, timing) if holds else None
    if standing.state is AlertState.RESOLVED:
        return _again(standing, now, timing) if holds else standing
    if standing.state is AlertState.PENDING:
        return _pend(standing, now, timing) if holds else _unpend(standing, holds=holds)
    if holds is not False:
        return replace(standing, clear_since=None)
    return _settle(standing, now, timing)


def deadline(standing: Standing, timing: Timing) -> datetime | None:
    """Return when a turn would change it although nothing else does; for those who compute instead of waiting."""
    if standing.state is AlertState.PENDING:
        return standing.since + timing.wait
    if standing.clear_since is not None and standing.state is not AlertState.RESOLVED:
        return standing.clear_since + _settling(standing, timing)
    return None


def _again(standing: Standing, now: datetime, timing: Timing) -> Standing:
    """Return a new alert, or the old one if it comes back within its cool-down."""
    ended = standing.resolved_at
    if ended is None or now - ended >= timing.cool_down:
        return _pend(Standing(AlertState.PENDING, now), now, timing)
    return _pend(replace(standing, state=AlertState.PENDING, since=now, clear_since=None), now, timing)


def _pend(standing: Standing, now: datetime, timing: Timing) -> Standing:
    if now - standing.since < timing.wait:
        return standing
    count = standing.count + (standing.resolved_at is not None)
    return replace(standing, state=AlertState.FIRING, fired_at=now, resolved_at=None, count=count)


def _unpend(standing: Standing, *, holds: bool | None) -> Standing | None:
    if holds is None:
        return standing
    if standing.resolved_at is None:
        return None
    return replace(standing, state=AlertState.RESOLVED)


def _settle(standing: Standing, now: datetime, timing: Timing) -> Standing:
    clear_since = standing.clear_since or now
    if now - clear_since < _settling(standing, timing):
        return replace(standing, clear_since=clear_since)
    return replace(standing, state=AlertState.RESOLVED, clear_since=None, resolved_at=now)


def _settling(standing: Standing, timing: Timing) -> timedelta:
    return max(timing.settle, timing.cool_down) if standing.flapping else timing.settle
