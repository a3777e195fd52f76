"""Prices that tell when they were written."""

from __future__ import annotations

import threading
import time
from typing import Self

from apps.exchanges.market_data.cache import MarketWriter, redis_client
from apps.exchanges.ports import MarkUpdate
from moondev.domain.clock import LiveClock


class Ticking:
    """Writes a new mark of every instrument so often, as a stream process does; each is the moment it was written."""

    def __init__(self, instruments: list[str], per_second: float) -> None:
        self._instruments, self._pause = instruments, 1 / per_second
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.written = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join(10)

    def _run(self) -> None:
        writer, clock = MarketWriter(redis_client()), LiveClock()
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += self._pause
            now = clock.now()
            for key in self._instruments:
                writer.state(key).take_mark(MarkUpdate(key, time.monotonic(), 0.0, 0.0, now))
            writer.flush()
            self.written += 1
