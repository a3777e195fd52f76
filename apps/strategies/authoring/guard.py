"""Forbids a strategy, while it is tried, what no worker would survive its doing."""

from __future__ import annotations

import _thread
import resource
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from apps.strategies.authoring.modules import ROOT

CPU_SECONDS = 60
THREAD = "_thread.start_new_thread"
FORBIDDEN = {
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.posix_spawn": "starts a process",
    "os.exec": "replaces the process",
    "os.system": "starts a process",
    "subprocess.Popen": "starts a process",
    THREAD: "starts a thread",
    "socket.connect": "opens a connection",
    "signal.pthread_kill": "sends a signal",
    "os.kill": "sends a signal",
    "os.killpg": "sends a signal",
}


class Forbidden(BaseException):
    """A strategy did what it must not. Not an Exception, so that its own `except` lets it pass."""


def forbid() -> None:
    """Guard this process from now on; there is no way back. Raises Forbidden in the strategy that does such a thing.

    What a library does while it is imported is its own matter. A hook sees what Python does, not what C code does.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_audited)
    # Of threads Python tells its hooks from 3.12 on only.
    told = _told(_thread.start_new_thread)
    _thread.start_new_thread = told
    threading._start_new_thread = told  # type: ignore[attr-defined]  # noqa: SLF001  the name that Thread.start calls


def _audited(event: str, _arguments: tuple[object, ...]) -> None:
    if event in FORBIDDEN and _asked_by_strategy(sys._getframe(1)):  # noqa: SLF001  the only way to ask who is calling
        raise Forbidden(f"it {FORBIDDEN[event]} ({event}); a strategy only decides")


def _told(start: Callable[..., int]) -> Callable[..., int]:
    def started(*arguments: Any) -> int:  # noqa: ANN401  what a thread is to do
        _audited(THREAD, arguments)
        return start(*arguments)

    return started


def _asked_by_strategy(frame: FrameType | None) -> bool:
    """Return whether the nearest of a strategy and an import of a library is the strategy."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(f"{ROOT}."):
            return True
        if name == "importlib._bootstrap":
            return False
        frame = frame.f_back
    return False
