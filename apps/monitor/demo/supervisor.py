"""Keep a set of processes running, and end all of them.

Each child leads a process group of its own, so Ctrl-C reaches the supervisor alone and it decides the order of the
end. A child that ends by itself is started again after a pause that doubles with each crash.
"""

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moondev.counting.files import PROCESS_VARIABLE
from moondev.servers.processes import Process, identify
from moondev.servers.state import write_private

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
# A child that has run this long was healthy: its next crash counts as the first.
HEALTHY_AFTER_S = 30.0
PIDS_FILE = "pids.json"


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to keep running. ``stop_s`` is how long it may take to end before its group is killed."""

    name: str
    command: Sequence[str]
    stop_s: float = 10.0


@dataclass(slots=True)
class _Child:
    """A spec and the process that currently embodies it."""

    spec: ProcessSpec
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float | None = None
    crashes_in_a_row: int = 0
    restarts: int = 0
    exit_codes: list[int] = field(default_factory=list)


def end_leftovers(record: Path) -> None:
    """Kill the process groups that a killed supervisor left running; a pid that now is somebody else's is let be."""
    if not record.is_file():
        return
    for entry in json.loads(record.read_text(encoding="utf-8")):
        process = Process(**entry)
        if process.alive():
            logger.warning("ending %s (pid %d), left over from a run that was killed", process.name, process.pid)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait_gone(timeout_s=5.0)
    record.unlink()


class Supervisor:
    """Runs children with one environment; their output goes to ``<logs>/<name>.log``."""

    def __init__(self, *, environment: Mapping[str, str], folder: Path, logs: Path) -> None:
        self._environment = dict(environment)
        self._folder = folder
        self._logs = logs
        self._children: dict[str, _Child] = {}
        logs.mkdir(parents=True, exist_ok=True)
        self._record = logs / PIDS_FILE
        end_leftovers(self._record)

    def start(self, specs: Iterable[ProcessSpec]) -> None:
        """Start processes; a name may be used once."""
        for spec in specs:
            if spec.name in self._children:
                raise ValueError(f"process name {spec.name!r} is taken")
            self._log(spec.name).write_bytes(b"")
            child = self._children[spec.name] = _Child(spec)
            self._spawn(child)

    def check(self) -> list[str]:
        """Look after the children; return a sentence for each that has ended since the last look."""
        news = []
        for child in self._children.values():
            code = child.process.poll() if child.process else None
            if code is not None:
                news.append(self._crashed(child, code))
            elif child.start_again_at is not None and time.monotonic() >= child.start_again_at:
                child.restarts += 1
                self._spawn(child)
        return news

    def stop(self, names: Iterable[str] | None = None) -> None:
        """End the named processes (None: all, the last started first) together; kill groups that do not go."""
        chosen = [self._children[name] for name in (names if names is not None else reversed(list(self._children)))]
        for child in chosen:
            child.start_again_at = None
            if child.process and child.process.poll() is None:
                # The leader only: Celery's pool children must finish their tasks.
                child.process.send_signal(signal.SIGTERM)
        for child in chosen:
            self._wait_or_kill(child)
        self._write_record()

    @property
    def restarts(self) -> dict[str, int]:
        """Return how often each process had to be started again."""
        return {name: child.restarts for name, child in self._children.items()}

    @property
    def crashes(self) -> dict[str, int]:
        """Return how often each process has ended by itself."""
        return {name: len(child.exit_codes) for name, child in self._children.items()}

    @property
    def pids(self) -> dict[str, int]:
        """Return the pid of each running process."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process and child.process.poll() is None
        }

    def _write_record(self) -> None:
        """Write down who runs, for the supervisor that comes after one that was killed."""
        running = [identify(name, pid) for name, pid in self.pids.items()]
        write_private(self._record, json.dumps([process.as_json() for process in running if process]))

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _spawn(self, child: _Child) -> None:
        with self._log(child.spec.name).open("ab") as log:
            child.process = subprocess.Popen(
                list(child.spec.command),
                cwd=self._folder,
                env={**self._environment, PROCESS_VARIABLE: child.spec.name},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child.started_at = time.monotonic()
        child.start_again_at = None
        self._write_record()

    def _crashed(self, child: _Child, code: int) -> str:
        # What the dead leader left behind would fight with its successor over ports and queues.
        _kill_group(child)
        child.process = None
        child.exit_codes.append(code)
        healthy = time.monotonic() - child.started_at > HEALTHY_AFTER_S
        child.crashes_in_a_row = 1 if healthy else child.crashes_in_a_row + 1
        pause = min(FIRST_PAUSE_S * 2 ** (child.crashes_in_a_row - 1), LONGEST_PAUSE_S)
        child.start_again_at = time.monotonic() + pause
        log = self._log(child.spec.name)
        return f"{child.spec.name} ended with code {code}; starting it again in {pause:.1f} s, see {log}"

    def _wait_or_kill(self, child: _Child) -> None:
        if child.process is None:
            return
        try:
            child.process.wait(timeout=child.spec.stop_s)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end in %.0f s and is killed", child.spec.name, child.spec.stop_s)
        _kill_group(child)
        child.process.wait()
        child.process = None


def _kill_group(child: _Child) -> None:
    """Kill what is left of a child's process group."""
    if child.process is None:
        return
    try:
        os.killpg(child.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
