"""The beats of every process, from wherever they can be read, and who is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.db import DatabaseError, InterfaceError

from apps.exchanges.market_data.cache import process_redis
from apps.monitor.health.expected import configured_names, expected_names
from apps.monitor.health.processes import SILENT, process_states
from apps.monitor.health.states import Component, Kind, State
from moondev.heartbeat.beat import Beat
from moondev.heartbeat.heart import SQL_SECONDS
from moondev.heartbeat.stores import RedisBeats, SqlBeats

# Who has not beaten for so long is not remembered.
FORGOTTEN = timedelta(days=1)
UNREADABLE = "neither Redis nor the database tells"


@dataclass(frozen=True, slots=True)
class Heard:
    """The beats that could be read; `silent` is how old one may be where they were read, None when nowhere."""

    beats: tuple[Beat, ...]
    silent: timedelta | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A process that does not do its work: `state` is down (or unknown: never heard of), `since` None: not known."""

    name: str
    state: State
    since: datetime | None
    detail: str


def missing(now: datetime) -> tuple[Missing, ...]:
    """Return which of the processes that ought to run do not work at `now`, a real time, whatever clock the run has.

    One that has just been started is not missing, nor is one of which at least one instance works.
    """
    return tuple(
        Missing(found.component, found.state, found.since, found.detail)
        for found in look_at_processes(now)
        if found.state is State.DOWN or (found.state is State.UNKNOWN and found.since is None)
    )


def look_at_processes(now: datetime) -> list[Component]:
    """Return the state of every process at `now`, a real time."""
    try:
        names = expected_names()
    except (DatabaseError, InterfaceError):
        return look_at(configured_names(), hear_without_database(), now)
    return look_at(names, hear(), now)


def look_at(names: Sequence[str], heard: Heard, now: datetime) -> list[Component]:
    """Return the state of each of `names`, and of whoever else lives, by what was heard."""
    if heard.silent is None:
        return [Component(name, Kind.PROCESS, State.UNKNOWN, detail=UNREADABLE) for name in names]
    return process_states(names, heard.beats, now, heard.silent)


def hear() -> Heard:
    """Return the newest beat of each process, wherever it was kept."""
    return _heard(_from_redis(), _from_sql())


def hear_without_database() -> Heard:
    """Return what Redis alone knows."""
    return _heard(_from_redis(), None)


def _heard(by_redis: list[Beat] | None, by_sql: list[Beat] | None) -> Heard:
    if by_redis is None and by_sql is None:
        return Heard((), None)
    # Without Redis beats may be as old as the time between two that the database is told of.
    silent = SILENT if by_redis is not None else SILENT + timedelta(seconds=SQL_SECONDS)
    return Heard(newest([*(by_redis or ()), *(by_sql or ())]), silent)


def newest(beats: Iterable[Beat]) -> tuple[Beat, ...]:
    """Return the newest beat of each process."""
    found: dict[str, Beat] = {}
    for beat in beats:
        known = found.get(beat.instance)
        if known is None or known.beaten < beat.beaten:
            found[beat.instance] = beat
    return tuple(found.values())


def forget(now: datetime) -> None:
    """Forget processes that went long ago. Raises DatabaseError and RedisError."""
    before = now - FORGOTTEN
    SqlBeats().forget(before)
    kept = RedisBeats(process_redis())
    kept.forget(beat.instance for beat in kept.read() if beat.beaten < before)


def _from_redis() -> list[Beat] | None:
    try:
        return RedisBeats(process_redis()).read()
    except redis.RedisError:
        return None


def _from_sql() -> list[Beat] | None:
    try:
        return SqlBeats().read()
    except (DatabaseError, InterfaceError):
        return None
