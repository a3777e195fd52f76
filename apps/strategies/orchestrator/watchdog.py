"""Takes the processor back from a strategy that does not return."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, TypeVar

from moondev.domain.clock import monotonic

# The alarm rings again at this interval, for a strategy that swallows the first one.
AGAIN_SECONDS = 0.05

T = TypeVar("T")


class NeverReturned(BaseException):
    """The time limit was reached. Not an Exception, so that a strategy's own `except` lets it pass."""


def within(seconds: float, ask: Callable[[], T]) -> T:
    """Return what `ask` returns. Raises NeverReturned once `seconds` of real time have passed.

    Works in the main thread, where prefork workers run their tasks; elsewhere there is no alarm and
    the task's own soft time limit is what ends the call. An alarm that was set before is set again.
    """
    if threading.current_thread() is not threading.main_thread():
        return ask()
    started = monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        try:
            return ask()
        finally:
            _disarm()
    except NeverReturned:
        # It may have rung on the way out, before the line above had its effect.
        _disarm()
        raise
    finally:
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (monotonic() - started), 0.001), interval)


def _disarm() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise NeverReturned
