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

    def put(self, name: Name, count: int, seconds: float, period: float) -> None:
        """Set requests aside, to be taken within some seconds, in the place of what is left of the last ones.

        What is left was counted for nothing; it is remembered for a `period` of the rate, in seconds.
        """
        with self._lock:
            if len(self._left) >= MOST:
                # Counted for nothing as well, which lets nobody in too often.
                self._left.clear()
                self._lost.clear()
            now = self._timer()
            left, _ = self._left.get(name, (0, 0.0))
            lost, until = self._lost.get(name, (0, 0.0))
            if left:
                self._lost[name] = (lost + left, until) if now < until else (left, now + period)
            self._left[name] = (count, now + seconds)

    def lost(self, name: Name) -> int:
        """Return how many were counted for nothing within the period, with those that are left now."""
        with self._lock:
            lost, until = self._lost.get(name, (0, 0.0))
            left, _ = self._left.get(name, (0, 0.0))
            return left + (lost if self._timer() < until else 0)

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
