"""The watch: looks at the platform every few seconds, for as long as it is let.

It needs the database and nothing else. Broker and cache may be away: then that is what it says. With the database away
it says that, and nothing more. Two at once do no harm, and one may be killed at any moment.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping

import redis
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from apps.monitor.alerts.evaluate import Passed, evaluate
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.recorder import Recorder, prune
from apps.monitor.alerts.taking import take
from apps.monitor.alerts.unwritten import Unwritten
from apps.monitor.models import AlertRule
from moondev.domain.clock import Clock, monotonic

logger = logging.getLogger(__name__)
PRUNE_EVERY_SECONDS = 600.0


def watcher_name() -> str:
    """Return this process's name among the watches."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


class Watch:
    """Makes one pass after the other, and outlives a database that is away."""

    def __init__(
        self, clock: Clock, cache: redis.Redis, queues: Callable[[], Mapping[str, int] | None], name: str
    ) -> None:
        self._clock, self._cache, self._queues, self._name = clock, cache, queues, name
        self._recorder, self._unwritten = Recorder(), Unwritten()
        self._pruned_at = monotonic()
        self._blind = False

    def run(self, stop: threading.Event, interval_seconds: float, turned: Callable[[], None]) -> None:
        """Pass every `interval_seconds` until `stop` is set; call `turned` after each pass that saw something."""
        while not stop.is_set():
            started = monotonic()
            if self.step():
                turned()
            stop.wait(max(interval_seconds - (monotonic() - started), 0.0))

    def step(self) -> bool:
        """Make one pass; return False when the database was away: nothing is seen, and that is said once."""
        try:
            close_old_connections()
            self.look()
            self._prune()
            self._unwritten.there()
        except (DatabaseError, InterfaceError) as error:
            # What was remembered of the readings may not have been written.
            self._recorder.forget()
            connection.close()
            if not self._blind:
                logger.warning("the alerts are blind, the database does not answer: %s", error)
            self._blind = True
            self._unwritten.away(str(error))
            return False
        if self._blind:
            logger.warning("the alerts see again")
        self._blind = False
        return True

    def look(self) -> Passed | None:
        """Read everything that some rule measures and make a pass. Raises DatabaseError."""
        names = AlertRule.objects.filter(enabled=True).values_list("reading", flat=True)
        taken = take(Look(self._clock, self._cache, self._queues), names)
        return evaluate(taken, self._recorder, self._name)

    def _prune(self) -> None:
        if monotonic() - self._pruned_at >= PRUNE_EVERY_SECONDS:
            prune(self._clock.now())
            self._pruned_at = monotonic()
