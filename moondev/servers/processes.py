"""Start long-lived processes, remember them by pid and start time, and end exactly those."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from moondev.servers.errors import ServiceError
from moondev.servers.users import User

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process we started. The start time tells it from a later one that got the same pid."""

    name: str
    pid: int
    started_ticks: int
    stop_signal: int = signal.SIGTERM

    def alive(self) -> bool:
        """Return whether this very process still runs (a zombie does not)."""
        return _started_ticks(self.pid) == self.started_ticks

    def stop(self, *, timeout_s: float = 20.0) -> None:
        """End the process: its own signal first, SIGKILL when it has not gone in ``timeout_s`` seconds."""
        self._signal(self.stop_signal)
        if not self.wait_gone(timeout_s=timeout_s):
            self._signal(signal.SIGKILL)
            self.wait_gone(timeout_s=5.0)

    def wait_gone(self, *, timeout_s: float) -> bool:
        """Wait until the process has ended; return False when it has not within ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def as_json(self) -> dict[str, Any]:
        """Return what ``Process(**...)`` needs to find the process again."""
        return asdict(self)

    def _signal(self, number: int) -> None:
        if self.alive():
            os.kill(self.pid, number)


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server: everything that is the same for all of them is decided in ``start``."""

    name: str
    command: Sequence[str]
    folder: Path
    user: User
    environment: Mapping[str, str]
    stop_signal: int = signal.SIGTERM


def identify(name: str, pid: int) -> Process | None:
    """Return a running process so that it can be found again later; None when it has ended already."""
    ticks = _started_ticks(pid)
    return None if ticks is None else Process(name, pid, ticks)


def start(launch: Launch) -> Process:
    """Start a server in a session of its own, so that Ctrl-C in our terminal does not reach it.

    Its output goes to ``<folder>/<name>.log``. Only the given environment is passed on.
    """
    log = launch.folder / f"{launch.name}.log"
    with log.open("ab") as output:
        launch.user.own(log)
        child = subprocess.Popen(
            list(launch.command),
            cwd=launch.folder,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **launch.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **launch.user.popen_arguments(),
        )
    # A start time read after an exec is the same: it belongs to the pid, not to the program.
    ticks = _started_ticks(child.pid)
    # Nobody waits for this child here; a later stop recognises the zombie as gone.
    child.returncode = 0
    if ticks is None:
        raise ServiceError(f"{launch.name} ended at once; see {log}:\n{tail(log)}")
    return Process(launch.name, child.pid, ticks, launch.stop_signal)


def wait_ready(process: Process, ready: Any, *, timeout_s: float, log: Path) -> None:  # noqa: ANN401  a callable
    """Wait until ``ready()`` is true.

    Raises:
        ServiceError: the process ended, or was not ready in ``timeout_s`` seconds; with the end of its log.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        if not process.alive():
            raise ServiceError(f"{process.name} ended while starting; {log} ends with:\n{tail(log)}")
        if time.monotonic() > deadline:
            process.stop(timeout_s=5.0)
            raise ServiceError(f"{process.name} was not ready in {timeout_s:.0f} s; {log} ends with:\n{tail(log)}")
        time.sleep(_POLL_S)


def tail(log: Path, *, lines: int = 15) -> str:
    """Return the last lines of a log, or a note that there is none."""
    if not log.is_file():
        return f"(no log at {log})"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _started_ticks(pid: int) -> int | None:
    """Return the kernel's start time of a running process; None when it is gone or only a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may itself contain spaces and parentheses: count from the last one.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])
