"""How the servers do that every process needs, within a bounded time whatever they do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from apps.monitor.health.probes.broker import BrokerQuestion
from apps.monitor.health.probes.cache import ask_redis
from apps.monitor.health.probes.database import ask_database, ask_migrations
from apps.monitor.health.probes.probe import Probe, Told
from moondev.domain.clock import monotonic

# The longest a look may take, and how long it is good for: nobody can make us ask more often, however often he asks.
LIMIT_SECONDS, KEPT_SECONDS = 2.0, 1.0
DATABASE, MIGRATIONS, BROKER, REDIS = "database", "migrations", "broker", "redis"


class Servers:
    """Asks all servers at once. One look at a time; who comes while one is under way is told the same."""

    def __init__(self, probes: Sequence[Probe], close: Callable[[], None] = lambda: None) -> None:
        """Ask by `probes`; `close` gives back what they keep open."""
        self._probes, self.close = probes, close
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._told: Mapping[str, Told] = {}

    def look(self) -> Mapping[str, Told]:
        """Return what each server says, by name, after LIMIT_SECONDS at the latest."""
        with self._lock:
            if monotonic() - self._looked > KEPT_SECONDS:
                for probe in self._probes:
                    probe.begin()
                until = monotonic() + LIMIT_SECONDS
                self._told = {probe.name: probe.told(until) for probe in self._probes}
                self._looked = monotonic()
            return self._told


@lru_cache(maxsize=1)
def servers() -> Servers:
    """Return this process's."""
    broker = BrokerQuestion()
    probes = (
        Probe(DATABASE, ask_database),
        # The first look reads our own files of migrations; how long that takes says nothing of the database.
        Probe(MIGRATIONS, ask_migrations, slow_ms=float("inf")),
        Probe(BROKER, broker.ask),
        Probe(REDIS, ask_redis),
    )
    return Servers(probes, broker.close)
