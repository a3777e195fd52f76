"""A run on this machine without a broker: worker processes of our own on the same rows."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from apps.strategies.models import OPEN_RUNS, OptimisationRun
from apps.strategies.optimise.leasing import trials_release
from apps.strategies.optimise.local_worker import run_worker
from moondev.domain.errors import Configuration

LOOK_EVERY_S = 0.5
# More deaths than this are no accident: each trial may cost three workers, a worker that cannot start costs itself.
MOST_REPLACED = 100


@dataclass(slots=True)
class Crew:
    """The processes that work at one run. One that dies is replaced and its trial goes to another."""

    run_id: int
    size: int
    processes: dict[str, BaseProcess] = field(default_factory=dict)
    started: int = 0

    def tend(self) -> None:
        """Bury the dead and hire until the crew is complete."""
        for name, process in list(self.processes.items()):
            if not process.is_alive():
                process.join()
                del self.processes[name]
                trials_release(self.run_id, name)
        while len(self.processes) < self.size:
            self._hire()

    def end(self) -> None:
        """End every process; what it had under way is free again."""
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            process.join()
            trials_release(self.run_id, name)
        self.processes.clear()

    def wait(self) -> None:
        """Wait a moment, less when somebody ends."""
        wait([process.sentinel for process in self.processes.values()], LOOK_EVERY_S)

    def _hire(self) -> None:
        if self.started >= self.size + MOST_REPLACED:
            raise Configuration(f"worker processes end again and again ({self.started} so far); their output says why")
        self.started += 1
        name = f"{socket.gethostname()}:{os.getpid()}/{self.started}"
        # A fresh interpreter: a fork would share this one's database connection.
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=run_worker, args=(self.run_id, name), name=name, daemon=True)
        process.start()
        self.processes[name] = process


def run_here(run_id: int, workers: int, on_look: Callable[[OptimisationRun], None]) -> OptimisationRun:
    """Work at a run with `workers` processes until it is over, and return it; `on_look` hears of it meanwhile."""
    with _crew(run_id, workers) as crew:
        while (run := OptimisationRun.objects.get(pk=run_id)).status in OPEN_RUNS:
            crew.tend()
            on_look(run)
            crew.wait()
    return run


@contextmanager
def _crew(run_id: int, workers: int) -> Iterator[Crew]:
    crew = Crew(run_id, workers)
    try:
        yield crew
    finally:
        crew.end()
