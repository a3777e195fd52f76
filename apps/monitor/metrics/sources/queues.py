"""How many messages wait in each queue, and for how long the oldest of them has waited at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock

from prometheus_client.metrics_core import Metric

from apps.monitor.api.stream.sources.queue_lengths import QueueLengths
from apps.monitor.metrics.told import Told
from moondev.domain.clock import LiveClock
from moondev.domain.errors import Connectivity

LENGTH = Told("moondev_queue_messages", "Messages that wait, taken by nobody.", ("queue",))
AGE = Told(
    "moondev_queue_age_seconds",
    "How long the oldest of them has waited at most; 0 for an empty queue.",
    ("queue",),
)
QUEUES = (LENGTH, AGE)


class Queues:
    """Asks the broker over one connection, whichever broker it is.

    No broker tells the age of a message without being given it and taking it back, which would disturb who waits for
    it. But what was sent before the newest message that somebody has taken was sent before those that wait, and a queue
    that was empty when we looked holds nothing older than that look: the later of the two moments is a bound.
    """

    def __init__(self) -> None:
        self._lengths, self._lock = QueueLengths(), Lock()
        self._empty_at: dict[str, float] = {}

    def read(self, newest: Mapping[str, float]) -> Iterator[Metric]:
        """Yield lengths and ages; `newest` tells by queue when the newest message taken from it had been sent.

        Raises Connectivity when the broker does not answer.
        """
        with self._lock:
            lengths = self._lengths.read()
            now = LiveClock().now().timestamp()
            if lengths is None:
                raise Connectivity("the broker does not answer")
            ages = {name: self._age(name, length, newest.get(name, 0.0), now) for name, length in lengths.items()}
        yield LENGTH.family(((name,), length) for name, length in lengths.items())
        yield AGE.family(((name,), age) for name, age in ages.items())

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._lengths.close()

    def _age(self, name: str, length: int, newest: float, now: float) -> float:
        if not length:
            self._empty_at[name] = now
            return 0.0
        return max(0.0, now - max(newest, self._empty_at.setdefault(name, now)))
