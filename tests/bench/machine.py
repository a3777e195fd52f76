"""What the machine and every process of a run spent, between two moments."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MachineTimes:
    """Seconds of all cores since the machine started (``man 5 proc``, first line of /proc/stat)."""

    total: float
    busy: float
    stolen: float

    @classmethod
    def read(cls) -> MachineTimes:
        """Read the kernel's counters."""
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        user, nice, system, idle, iowait, irq, softirq, steal = (int(field) for field in fields)
        hertz = os.sysconf("SC_CLK_TCK")
        busy = user + nice + system + irq + softirq
        return cls((busy + idle + iowait + steal) / hertz, busy / hertz, steal / hertz)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process and its children used: CPU seconds, and memory at the end in MB.

    `resident` counts pages shared between a worker and its children once for each; `proportional` counts them once.
    """

    cpu_s: float
    resident_mb: float
    proportional_mb: float


@dataclass(frozen=True, slots=True)
class Usage:
    """One measured stretch of time. Shares are per cent of all cores.

    `steal` went to other guests of the hypervisor, `others` to processes of this machine that are not ours.
    """

    wall_s: float
    steal: float
    others: float
    processes: Mapping[str, Spent]

    @property
    def cpu_s(self) -> float:
        """Return the CPU seconds of all our processes."""
        return sum(spent.cpu_s for spent in self.processes.values())

    def cpu_ms_per(self, operations: int) -> float | None:
        """Return the CPU milliseconds of one of `operations`; None when there was none."""
        return self.cpu_s / operations * 1000 if operations else None


class Stopwatch:
    """Measures a stretch of time: made at its beginning, read at its end. `census` names pids by process name."""

    def __init__(self, census: Callable[[], Mapping[str, int]]) -> None:
        """Start now."""
        self._census = census
        self._cpu = {name: _cpu_of(pid) for name, pid in census().items()}
        self._machine, self._began = MachineTimes.read(), time.monotonic()

    def read(self) -> Usage:
        """Return what was used since the start; a process that was not there then counts from its own start."""
        machine, wall = MachineTimes.read(), time.monotonic() - self._began
        pids = self._census()
        cpu = {name: max(_cpu_of(pid) - self._cpu.get(name, 0.0), 0.0) for name, pid in pids.items()}
        total = max(machine.total - self._machine.total, 1e-9)
        ours = sum(cpu.values())
        return Usage(
            wall_s=wall,
            steal=100 * (machine.stolen - self._machine.stolen) / total,
            others=max(100 * (machine.busy - self._machine.busy - ours) / total, 0.0),
            processes={name: Spent(cpu[name], *_memory_of(pid)) for name, pid in pids.items()},
        )


def server_pids(ports: Mapping[str, int]) -> dict[str, int]:
    """Return the pid that listens on each port of this machine; a server elsewhere is left out."""
    listening = {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid
    }
    return {name: listening[port] for name, port in ports.items() if port in listening}


def _family(pid: int) -> list[psutil.Process]:
    """Return a process and all below it; of ourselves only ourselves, for what we started has names of its own."""
    try:
        leader = psutil.Process(pid)
        if pid == os.getpid():
            return [leader]
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, its children, and those of its children that have ended."""
    spent = 0.0
    for process in _family(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
        if pid != os.getpid():
            spent += times.children_user + times.children_system
    return spent


def _memory_of(pid: int) -> tuple[float, float]:
    resident = proportional = 0
    for process in _family(pid):
        try:
            memory = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        resident, proportional = resident + memory.rss, proportional + memory.pss
    return resident / _MEGABYTE, proportional / _MEGABYTE
