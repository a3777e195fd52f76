"""Takes the processor back from a strategy that does not return."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from moondev.domain.clock import monotonic

# The alarm rings again at this interval, for a strategy that swallows the first one.
AGAIN_SECONDS = 0.05


class NeverReturned(BaseException):
    """The time limit was reached. Not an Exception, so that a strategy's own `except` lets it pass."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise NeverReturned inside the block once `seconds` of real time have passed.

    Works in the main thread, where prefork workers run their tasks; elsewhere there is no alarm and
    the task's own soft time limit is what ends the block. An alarm that was set before is set again.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started = monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (monotonic() - started), 0.001), interval)


def _ring(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise NeverReturned
