"""Since when a server has been as it is: what it says itself, or when this process first saw it so."""

from __future__ import annotations

from datetime import datetime

from apps.monitor.health.probes.probe import Answer
from apps.monitor.health.states import State


class Since:
    """Remembers the state of each server and when it was first seen so."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._seen: dict[str, tuple[State, datetime | None]] = {}

    def of(self, name: str, answer: Answer, now: datetime) -> datetime | None:
        """Return since when a server has been in the state of `answer`; None when that was before we first looked."""
        known = self._seen.get(name)
        if known is None:
            self._seen[name] = (answer.state, answer.started if answer.state is State.OK else None)
        elif known[0] is not answer.state:
            self._seen[name] = (answer.state, now)
        return self._seen[name][1]
