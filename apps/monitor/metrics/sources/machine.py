"""What the processes of this machine take: memory and processor time, by what they are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric

from apps.monitor.metrics.told import Told
from moondev.counting.files import BORN, stat_words

COUNT = Told("moondev_processes", "Processes that live and count, of this machine.", ("process",))
MEMORY = Told("moondev_process_memory_bytes", "What they hold of the machine's memory, together.", ("process",))
CPU = Told("moondev_process_cpu_seconds", "Processor time of those that live, together.", ("process",))
PROCESSES = (COUNT, MEMORY, CPU)

_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Living:
    """A process that counts: what it is, its number where it lives, and when it began there, in the kernel's ticks."""

    process: str
    pid: int
    born: int


def read_processes(living: Iterable[Living]) -> Iterator[Metric]:
    """Yield what they take. One of another container cannot be looked at, and is counted only."""
    counts: dict[str, float] = {}
    memory: dict[str, float] = {}
    cpu: dict[str, float] = {}
    for one in living:
        counts[one.process] = counts.get(one.process, 0) + 1
        taken = _taken(one)
        if taken is not None:
            memory[one.process] = memory.get(one.process, 0.0) + taken[0]
            cpu[one.process] = cpu.get(one.process, 0.0) + taken[1]
    for told, values in ((COUNT, counts), (MEMORY, memory), (CPU, cpu)):
        yield told.family(((process,), value) for process, value in values.items())


def _taken(one: Living) -> tuple[float, float] | None:
    """Return resident bytes and seconds of the processor; None when there is no such process."""
    words = stat_words(one.pid)
    # Of the same number, in another container or later, but another process.
    if not words or int(words[BORN]) != one.born:
        return None
    return int(words[21]) * _PAGE, (int(words[11]) + int(words[12])) / _TICKS
