"""One look at the platform: what several readings need is read once, and everything at the same time of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar, cast

import redis

from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity

T = TypeVar("T")


class Look:
    """One look. `queues` asks the broker for waiting messages by queue and says None when it does not answer."""

    def __init__(self, clock: Clock, cache: redis.Redis, queues: Callable[[], Mapping[str, int] | None]) -> None:
        self.clock, self.cache, self.now = clock, cache, clock.now()
        self._queues = queues
        self._known: dict[str, object] = {}

    def once(self, name: str, read: Callable[[], T]) -> T:
        """Return what `read` says, asked once in this look however many readings want it."""
        if name not in self._known:
            self._known[name] = read()
        return cast(T, self._known[name])

    def lengths(self) -> Mapping[str, int]:
        """Return waiting messages by queue. Raises Connectivity when the broker does not answer."""
        found = self.once("queues", self._queues)
        if found is None:
            raise Connectivity("the broker does not answer")
        return found

    def since(self, moment: datetime) -> float:
        """Return for how many seconds of the run it has been so."""
        return max((self.now - moment).total_seconds(), 0.0)
