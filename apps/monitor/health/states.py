"""What can be said of a part of the platform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How a part does. UNKNOWN: nobody can say, which is never the same as well."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a part is: a server we use, a venue's streams, or a process of ours."""

    SERVER = "server"
    VENUE = "venue"
    PROCESS = "process"


# From well to bad; of many parts the worst counts.
BADNESS = (State.OK, State.UNKNOWN, State.DEGRADED, State.DOWN)


@dataclass(frozen=True, slots=True)
class Component:
    """One part: its state, since when (None: not known), and why for people.

    `latency_ms` is how long the question took (None: none was asked); `instances` how many of it work.
    """

    component: str
    kind: Kind
    state: State
    since: datetime | None = None
    detail: str = ""
    latency_ms: float | None = None
    instances: int = 0


def worst(states: Iterable[State]) -> State:
    """Return the worst of some states; UNKNOWN of none."""
    return max(states, key=BADNESS.index, default=State.UNKNOWN)
