"""What is due to be told of an alert, pure: once it fires, once it is over, and again while nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from apps.monitor.models.alerts import AlertState


class Due(StrEnum):
    """What is to be told now. DIGEST: what quiet hours have held back."""

    FIRING = "firing"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    DIGEST = "digest"


class Held(StrEnum):
    """Why nobody is told, although there is something to tell. MUTED: another alert says it already.

    NOBODY: there is no channel. GATHERING: it waits for its fellows.
    """

    MUTED = "muted"
    QUIET = "quiet"
    COOL_DOWN = "cool-down"
    NOBODY = "no channel"
    GATHERING = "gathering"


NOTHING = None
Telling = Due | Held | None


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told of an alert. `closed` is whether nothing of its end is left to tell."""

    told_at: datetime | None = None
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    closed: bool = True
    held: str = ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a rule has people told. One that `insists` is told again when it is back, however soon after its end."""

    cool_down: timedelta
    escalate_after: timedelta | None = None
    remind_every: timedelta | None = None
    tells_resolved: bool = True
    insists: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """How it is for one alert now: whether another says it already, whether it is to be quiet, and may soon be over."""

    now: datetime
    muted: bool = False
    quiet: bool = False
    clearing: bool = False


def telling(state: AlertState, fired_at: datetime | None, told: Told, manner: Manner, moment: Moment) -> Telling:
    """Return what is due, or why what would be due is held back, or None: there is nothing to tell."""
    if fired_at is None or state is AlertState.PENDING:
        return NOTHING
    knows = told.told_at is not None and told.told_at >= fired_at
    if state is AlertState.RESOLVED:
        return NOTHING if told.closed else _end(told, manner, moment, knows=knows)
    if state is AlertState.ACKNOWLEDGED or moment.clearing:
        return NOTHING
    return _again(fired_at, told, manner, moment) if knows else _first(told, manner, moment)


def is_silent_end(told: Told, manner: Manner, fired_at: datetime | None) -> bool:
    """Return whether an alert that is over needs no word: nobody had heard of it, or its rule says nothing of ends."""
    knows = fired_at is not None and told.told_at is not None and told.told_at >= fired_at
    if told.held == Held.QUIET:
        return False
    return not knows or not manner.tells_resolved


def _first(told: Told, manner: Manner, moment: Moment) -> Telling:
    if moment.muted:
        return Held.MUTED
    if moment.quiet:
        return Held.QUIET
    lately = told.told_at is not None and moment.now - told.told_at < manner.cool_down
    # Who was told that it is over looks no more. One that keeps coming back is soon not over any more, see `flapping`.
    if lately and not manner.insists:
        return Held.COOL_DOWN
    return Due.DIGEST if told.held == Held.QUIET else Due.FIRING


def _again(fired_at: datetime, told: Told, manner: Manner, moment: Moment) -> Telling:
    """Return an escalation or a reminder, once people know of it and nobody has answered."""
    if moment.muted or moment.quiet or told.told_at is None:
        return NOTHING
    escalated = told.escalated_at is not None and told.escalated_at >= fired_at
    if manner.escalate_after is not None and not escalated and moment.now - told.told_at >= manner.escalate_after:
        return Due.ESCALATED
    last = told.told_at if told.reminded_at is None else max(told.told_at, told.reminded_at)
    if manner.remind_every is not None and moment.now - last >= manner.remind_every:
        return Due.REMINDER
    return NOTHING


def _end(told: Told, manner: Manner, moment: Moment, *, knows: bool) -> Telling:
    if told.held == Held.QUIET:
        return Held.QUIET if moment.quiet else Due.DIGEST
    if not knows or not manner.tells_resolved:
        return NOTHING
    return Held.QUIET if moment.quiet else Due.RESOLVED
