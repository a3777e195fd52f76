"""Closed bars of one instrument and interval: a bar closes once and never changes afterwards.

A bar closes on the first of the venue's own flag, the next bar's first message, or its end plus a
grace; what is heard of it later does not reach a view.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

GRACE_MS = 2_000


class Bar(NamedTuple):
    """One bar: open time in milliseconds UTC, prices in quote currency, volume in base."""

    opened_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BarTail:
    """The newest `keep` closed bars and the one still forming."""

    def __init__(self, interval: timedelta, keep: int) -> None:
        self.interval = interval
        self.interval_ms = round(interval.total_seconds() * 1000)
        if self.interval_ms <= 0 or keep < 1:
            raise InvalidValue("bar tail", (interval, keep), "an interval above 0 and at least one bar")
        self._closed: deque[Bar] = deque(maxlen=keep)
        self._forming: Bar | None = None

    def __len__(self) -> int:
        """Return how many closed bars there are."""
        return len(self._closed)

    @property
    def last_opened_ms(self) -> int | None:
        """Return the open time of the newest closed bar; None before the first."""
        return self._closed[-1].opened_ms if self._closed else None

    def backfill(self, history: BarSeries, now_ms: int) -> None:
        """Take the venue's history; bars that had ended by `now_ms` are closed, known ones are kept as they are."""
        known = {bar.opened_ms: bar for bar in self._closed}
        for bar in _bars(history):
            if bar.opened_ms + self.interval_ms <= now_ms:
                known.setdefault(bar.opened_ms, bar)
            elif self._forming is None or bar.opened_ms >= self._forming.opened_ms:
                self._forming = bar
        self._closed = deque((known[stamp] for stamp in sorted(known)), maxlen=self._closed.maxlen)

    def update(self, bar: Bar, *, closed: bool) -> list[Bar]:
        """Take the venue's newest word on a bar; return the bars that this closed (usually none or one)."""
        if bar.opened_ms % self.interval_ms:
            raise InvalidValue("opened_ms", bar.opened_ms, f"a multiple of {self.interval_ms}")
        last = self.last_opened_ms
        if last is not None and bar.opened_ms <= last:
            return []
        done: list[Bar] = []
        if self._forming is not None and bar.opened_ms > self._forming.opened_ms:
            done.append(self._close(self._forming))
        if self._forming is None or bar.opened_ms >= self._forming.opened_ms:
            self._forming = bar
        if closed and self._forming is bar:
            done.append(self._close(bar))
        return done

    def close_due(self, now_ms: int) -> list[Bar]:
        """Close the forming bar when its end plus grace has passed; return it in a list, else nothing."""
        forming = self._forming
        if forming is None or now_ms < forming.opened_ms + self.interval_ms + GRACE_MS:
            return []
        return [self._close(forming)]

    def gaps(self) -> list[int]:
        """Return the open time of each closed bar before which bars are missing."""
        bars = list(self._closed)
        steps = pairwise(bars)
        return [later.opened_ms for earlier, later in steps if later.opened_ms - earlier.opened_ms > self.interval_ms]

    def series(self) -> BarSeries:
        """Return the closed bars as columns."""
        columns = np.array(self._closed, dtype=np.float64).reshape(-1, len(Bar._fields))
        return BarSeries(
            self.interval,
            np.array([bar.opened_ms for bar in self._closed], dtype=np.int64),
            *(np.ascontiguousarray(columns[:, column]) for column in range(1, len(Bar._fields))),
        )

    def _close(self, bar: Bar) -> Bar:
        self._closed.append(bar)
        self._forming = None
        return bar


def _bars(history: BarSeries) -> Iterator[Bar]:
    columns = (history.opened_ms, history.open, history.high, history.low, history.close, history.volume)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield Bar(*row)
