"""Counters, gauges and histograms that any process may count with; read by `apps.monitor.metrics`.

Like those of prometheus_client, but for what prometheus_client does in many processes at once: there a full disk ends
the process, a failing folder raises where something is counted, and the files of processes that have ended add up.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Literal

from moondev.counting.store import process_store
from moondev.domain.errors import InvalidValue

# From a thousandth of a second to ten seconds: what lies between is what ticks and requests take.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted: its name as Prometheus knows it, what it is in words, and the names of its labels."""

    name: str
    words: str
    labels: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Return how many numbers a series of it has."""
        return 1

    def _key(self, values: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        if len(values) != len(self.labels):
            raise InvalidValue("labels", values, f"of {self.name}: {', '.join(self.labels) or 'none'}")
        return self.name, values


@dataclass(frozen=True, slots=True)
class Counter(Measure):
    """Something that happens: the number only grows."""

    def add(self, *labels: str, amount: float = 1.0) -> None:
        """Count `amount` more."""
        process_store().add(self._key(labels), 1, ((0, amount),))

    def value(self, *labels: str) -> float:
        """Return what this process has counted."""
        return process_store().read(self._key(labels), 1)[0]


@dataclass(frozen=True, slots=True)
class Gauge(Measure):
    """Something that is now. `over` says what living processes make of it together; those that ended are left out."""

    over: Literal["sum", "max"] = "sum"

    def put(self, value: float, *labels: str) -> None:
        """Say what it is in this process."""
        process_store().put(self._key(labels), value)


@dataclass(frozen=True, slots=True)
class Histogram(Measure):
    """How long something takes, in seconds: the sum, then a count for each bound, the last for what was slower."""

    bounds: tuple[float, ...] = field(default=SECONDS)

    @property
    def width(self) -> int:
        """Return how many numbers a series of it has."""
        return len(self.bounds) + 2

    def observe(self, seconds: float, *labels: str) -> None:
        """Count one that took so long; clocks of two machines may make it less than nothing, which counts as none."""
        took = seconds if seconds > 0 else 0.0
        process_store().add(self._key(labels), self.width, ((0, took), (1 + bisect_left(self.bounds, took), 1.0)))

    def count(self, *labels: str) -> float:
        """Return how many this process has counted."""
        return sum(process_store().read(self._key(labels), self.width)[1:])
