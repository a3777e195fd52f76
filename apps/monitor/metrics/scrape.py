"""One answer to Prometheus: everything that is known at this moment, in the text format.

What cannot be read is left out, and `moondev_source_up` says which; it is never told as zero.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Lock

import redis
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from apps.exchanges.health.metrics import VenueCollector
from apps.monitor.metrics.counted import OURS, Counted, CountedFolder
from apps.monitor.metrics.known import Known, read_known
from apps.monitor.metrics.process_file import Key
from apps.monitor.metrics.sources.cache import CACHE, read_cache
from apps.monitor.metrics.sources.gates import GATES, read_gates
from apps.monitor.metrics.sources.limits import LIMITS, read_limits
from apps.monitor.metrics.sources.machine import PROCESSES, read_processes
from apps.monitor.metrics.sources.money import DRIFTS, MARKS, TRUTH, read_drawdowns, read_drifts, read_money
from apps.monitor.metrics.sources.queues import QUEUES, Queues
from apps.monitor.metrics.sources.work import DATABASE, NOTICES, WORK, read_database, read_notices, read_work
from apps.monitor.metrics.text import CountedText
from apps.monitor.metrics.told import Sample, Told
from moondev.counting.table import MEASURES, TASK_NEWEST
from moondev.domain.clock import monotonic, process_clock
from moondev.domain.errors import Connectivity

logger = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UP = Told("moondev_source_up", "1 when what it tells could be read now, 0 when not.", ("source", "server"))
TOOK = Told("moondev_source_seconds", "How long reading it has taken.", ("source",))
# No question may keep the database busy for longer, real milliseconds.
PATIENCE_MS = 2_000
# However many ask, the servers are asked no more often than this.
HOLDS_SECONDS = 1.0
AWAY = (DatabaseError, InterfaceError, redis.RedisError, Connectivity, OSError)
Reading = Callable[[], Iterable[Metric]]

OF_SQL: tuple[tuple[str, tuple[Told, ...], Callable[[datetime, frozenset[str]], Iterable[Metric]]], ...] = (
    ("money", TRUTH, read_money),
    ("drawdowns", MARKS, read_drawdowns),
    ("drifts", DRIFTS, read_drifts),
    ("gates", GATES, read_gates),
    ("work", WORK, read_work),
    ("notices", NOTICES, read_notices),
    ("limits", LIMITS, read_limits),
    ("database", DATABASE, read_database),
)
# Everything that is told here and not counted elsewhere, but for the venues' own.
TOLD: tuple[Told, ...] = (
    *(told for _, group, _ in OF_SQL for told in group), *CACHE, *QUEUES, *PROCESSES, UP, TOOK,
)  # fmt: skip


@dataclass(slots=True)
class _Answer:
    """What one scrape has found so far."""

    families: list[Metric] = field(default_factory=list)
    ups: list[Sample] = field(default_factory=list)
    took: list[Sample] = field(default_factory=list)
    away: set[str] = field(default_factory=set)


class Scrape:
    """Answers scrapes of one process, one at a time. Folder and connections are kept from one to the next."""

    def __init__(self, folder: CountedFolder, client: redis.Redis, holds_seconds: float = HOLDS_SECONDS) -> None:
        """Read what is counted in `folder`, and ask `client` for what is in Redis; an answer holds for a moment."""
        self._folder, self._redis, self._holds = folder, client, holds_seconds
        self._said, self._said_at = b"", float("-inf")
        self._queues, self._text = Queues(), CountedText()
        self._known: Known | None = None
        self._lock = Lock()
        self._quiet: set[str] = set()

    def answer(self) -> bytes:
        """Return all metrics."""
        with self._lock:
            if monotonic() - self._said_at >= self._holds:
                close_old_connections()
                self._said, self._said_at = self._answer(), monotonic()
            return self._said

    def close(self) -> None:
        """Give connections back."""
        self._queues.close()

    def _answer(self) -> bytes:
        found, counted = _Answer(), Counted()
        now = process_clock().now()

        def count() -> Iterator[Metric]:
            nonlocal counted
            counted = self._folder.read()
            yield from read_processes(counted.living)

        def know() -> tuple[Metric, ...]:
            self._known = read_known()
            return ()

        self._ask(found, "counted", "files", count)
        self._ask(found, "known", "sql", _patiently(know))
        strategies = self._known.strategies if self._known is not None else frozenset[str]()
        for name, _, read in OF_SQL:
            self._ask(found, name, "sql", _patiently(partial(read, now, strategies)))
        self._ask(found, "cache", "redis", lambda: read_cache(self._redis))
        self._ask(found, "venues", "redis", self._of_venues)
        self._ask(found, "queues", "broker", lambda: self._queues.read(_newest(counted.series)))
        found.families += [UP.family(found.ups), TOOK.family(found.took)]
        series = counted.series if self._known is None else self._known.of(OURS, counted.series)
        return self._text.write(MEASURES, series).encode() + _written(found.families)

    def _of_venues(self) -> list[Metric]:
        if self._known is None:
            raise Connectivity("the database has not told yet which venues there are")
        return VenueCollector(self._redis, self._known.venues).read()

    def _ask(self, found: _Answer, name: str, server: str, read: Reading) -> None:
        """Read one source. After its server was found away, what else that would tell is not waited for."""
        began, families = monotonic(), list[Metric]()
        if server not in found.away:
            try:
                families = list(read())
                up = True
                self._quiet.discard(name)
            except AWAY as error:
                up = False
                if name not in self._quiet:
                    self._quiet.add(name)
                    logger.warning("metrics of %s cannot be read: %s", name, error)
                if server != "sql" or not _sql_answers():
                    found.away.add(server)
        else:
            up = False
        found.families += families
        found.ups.append(((name, server), float(up)))
        found.took.append(((name,), monotonic() - began))


class _Read(Collector):
    """What has been read already, as prometheus_client wants to be given it."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _written(families: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Read(families))
    return generate_latest(registry)


def _patiently(read: Reading) -> Reading:
    """Return `read` as one short transaction, so that a question that takes too long is broken off."""

    def reading() -> list[Metric]:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", (PATIENCE_MS,))
            return list(read())

    return reading


def _sql_answers() -> bool:
    return connection.connection is not None and connection.is_usable()


def _newest(series: Mapping[Key, list[float]]) -> dict[str, float]:
    return {labels[0]: numbers[0] for (name, labels), numbers in series.items() if name == TASK_NEWEST.name}
