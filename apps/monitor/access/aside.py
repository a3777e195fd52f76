"""Requests that have been counted and not been made yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from moondev.domain.clock import monotonic

Name = tuple[str, tuple[str, ...]]
MOST = 1_000


class SetAside:
    """How many requests under each name have been counted ahead. For use by several threads."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        """Start with none."""
        self._timer, self._lock = timer, threading.Lock()
        self._left: dict[Name, tuple[int, float]] = {}
        self._lost: dict[Name, tuple[int, float]] = {}

    def claim(self, name: Name, count: int, most: int, period: float) -> bool:
        """Say that `count` requests are about to be counted ahead; False when more than `most` could be lost by that.

        What was set aside before and is left was counted for nothing. It is remembered for a `period` of the rate, in
        seconds. Nobody can take what is claimed before it is `put`, yet it counts as lost: of several threads that
        find nothing set aside at the same moment only one counts ahead.
        """
        with self._lock:
            now = self._timer()
            left, _ = self._left.get(name, (0, 0.0))
            lost, until = self._lost.get(name, (0, 0.0))
            lost = lost if now < until else 0
            if left + lost + count > most:
                return False
            if len(self._left) >= MOST:
                # Counted for nothing as well, which lets nobody in too often.
                self._left.clear()
                self._lost.clear()
            if left:
                self._lost[name] = (lost + left, until if lost else now + period)
            self._left[name] = (count, now)
            return True

    def put(self, name: Name, count: int, seconds: float) -> None:
        """Set requests aside that are counted, to be taken within some seconds."""
        with self._lock:
            self._left[name] = (count, self._timer() + seconds)

    def drop(self, name: Name) -> None:
        """Give up what was claimed: it is not counted."""
        with self._lock:
            self._left.pop(name, None)

    def take(self, names: Sequence[Name]) -> bool:
        """Take one under each of `names`; return False, and take none, when one of them has none left."""
        with self._lock:
            found = [self._left.get(name, (0, 0.0)) for name in names]
            now = self._timer()
            if any(count < 1 or now >= until for count, until in found):
                return False
            for name, (count, until) in zip(names, found, strict=True):
                self._left[name] = (count - 1, until)
            return True
