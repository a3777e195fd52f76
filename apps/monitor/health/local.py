"""How a process of this machine does, by its own file: no server is asked, and Django is not needed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from apps.monitor.health.processes import process_states
from apps.monitor.health.states import Component, Kind, State
from moondev.heartbeat.local import LocalBeats


def look_at_local(name: str, folder: Path, now: datetime) -> Component:
    """Return how the processes of a name do on this machine at `now`; DOWN when there is none."""
    beats = LocalBeats(folder).read(name)
    if not beats:
        return Component(name, Kind.PROCESS, State.DOWN, detail="no process of this name runs on this machine")
    return process_states([name], beats, now)[0]


def lives(found: Component) -> bool:
    """Return whether to leave a process alone: it works, or at least one does, or it is starting."""
    return found.state is not State.DOWN
