"""What this machine uses of itself, looked at once a pass and kept for as long as anybody looks back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import psutil

from moondev.domain.clock import monotonic

KEPT_SECONDS = 900.0
# A window counts as filled when the first look back lies at most so far inside it.
SLACK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look: shares in [0, 1] at a monotonic moment."""

    at: float
    cpu: float
    memory: float


def look_now() -> Look:
    """Look at this machine: processor use since the last look, and memory that cannot be had."""
    return Look(monotonic(), psutil.cpu_percent(interval=None) / 100, psutil.virtual_memory().percent / 100)


class HostLoad:
    """The looks of one process. Its first says nothing about the processor: there is no time before it."""

    def __init__(self, look: Callable[[], Look] = look_now) -> None:
        self._look, self._looks = look, deque[Look]()
        look()

    def look(self) -> None:
        """Take one look and forget those that are too old."""
        self._looks.append(self._look())
        while self._looks[-1].at - self._looks[0].at > KEPT_SECONDS:
            self._looks.popleft()

    def cpu(self, window: timedelta) -> Decimal | None:
        """Return the mean use of the processors; None until the window has been filled once."""
        return self._mean([look.cpu for look in self._within(window)])

    def memory(self, window: timedelta) -> Decimal | None:
        """Return the mean use of the memory; None until the window has been filled once."""
        return self._mean([look.memory for look in self._within(window)])

    def _within(self, window: timedelta) -> list[Look]:
        seconds = window.total_seconds()
        if not self._looks or self._looks[-1].at - self._looks[0].at < seconds - SLACK_SECONDS:
            return []
        return [look for look in self._looks if self._looks[-1].at - look.at <= seconds]

    def _mean(self, shares: list[float]) -> Decimal | None:
        return Decimal(str(round(sum(shares) / len(shares), 4))) if shares else None
