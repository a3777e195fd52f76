"""Closed bars of one instrument and interval: a bar closes once and never changes afterwards.

A bar closes on the first of the venue's own flag, the next bar's first message, or its end plus a
grace; what is heard of it later does not reach a view. A bar that was forming when the connection broke
may have had trades we never heard of: it closes only if the venue speaks of it again, live or in its history.
"""

from __future__ import annotations

import math
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
        self._doubted = False
        # Since when the connection has stood; a question asked earlier was answered without what came in between.
        self._whole_since_ms = -math.inf
        self._gap_noticed = False

    def __len__(self) -> int:
        """Return how many closed bars there are."""
        return len(self._closed)

    @property
    def last_opened_ms(self) -> int | None:
        """Return the open time of the newest closed bar; None before the first."""
        return self._closed[-1].opened_ms if self._closed else None

    def broken(self) -> None:
        """Trust the forming bar no longer: the connection broke, and what happens now is not heard."""
        self._doubted, self._whole_since_ms = True, math.inf

    def mended(self, now_ms: int) -> None:
        """Take note that the connection stands again; what history said before this moment settles nothing new."""
        self._whole_since_ms = now_ms

    def backfill(self, history: BarSeries, asked_ms: int) -> list[Bar]:
        """Take the venue's history as it was at `asked_ms`; return the bars that were not known to be closed.

        A bar is closed when a later one follows it or when it had ended a grace before we asked. Bars known
        to be closed stay as they are.
        """
        bars = list(_bars(history))
        known = {bar.opened_ms: bar for bar in self._closed}
        new = [bar for place, bar in enumerate(bars) if bar.opened_ms not in known and (
            place < len(bars) - 1 or bar.opened_ms + self.interval_ms + GRACE_MS <= asked_ms
        )]  # fmt: skip
        known |= {bar.opened_ms: bar for bar in new}
        self._closed = deque((known[stamp] for stamp in sorted(known)), maxlen=self._closed.maxlen)
        if bars and bars[-1].opened_ms not in known and self._knows_more(bars[-1], asked_ms):
            self._hear(bars[-1])
            self._doubted = asked_ms < self._whole_since_ms
        if self._forming is not None and self._forming.opened_ms in known:
            self._forming = None
        return new

    def update(self, bar: Bar, *, closed: bool) -> list[Bar]:
        """Take the venue's newest word on a bar; return the bars that this closed (usually none or one)."""
        if bar.opened_ms % self.interval_ms:
            raise InvalidValue("opened_ms", bar.opened_ms, f"a multiple of {self.interval_ms}")
        last = self.last_opened_ms
        if last is not None and bar.opened_ms <= last:
            return []
        done: list[Bar] = []
        if self._forming is not None and bar.opened_ms > self._forming.opened_ms:
            done += self._close(self._forming)
        self._hear(bar)
        if closed and self._forming is bar:
            done += self._close(bar)
        return done

    def close_due(self, now_ms: int) -> list[Bar]:
        """Close the forming bar when its end plus grace has passed; return it in a list, else nothing."""
        forming = self._forming
        if forming is None or now_ms < forming.opened_ms + self.interval_ms + GRACE_MS:
            return []
        return self._close(forming)

    def take_gap(self) -> bool:
        """Return whether bars turned out to be missing since the last time; say so once."""
        noticed, self._gap_noticed = self._gap_noticed, False
        return noticed

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

    def _hear(self, bar: Bar) -> None:
        """Take a word on the bar that forms; of an older one than we know of, none."""
        if self._forming is None or bar.opened_ms >= self._forming.opened_ms:
            self._forming, self._doubted = bar, False

    def _knows_more(self, bar: Bar, asked_ms: int) -> bool:
        """Return whether history tells more of the forming bar than we heard live since it was asked for."""
        forming = self._forming
        if forming is None or bar.opened_ms > forming.opened_ms:
            return True
        return bar.opened_ms == forming.opened_ms and self._doubted and asked_ms >= self._whole_since_ms

    def _close(self, bar: Bar) -> list[Bar]:
        doubted, last = self._doubted, self.last_opened_ms
        self._forming, self._doubted = None, False
        if doubted:
            self._gap_noticed = True
            return []
        self._gap_noticed |= last is not None and bar.opened_ms - last > self.interval_ms
        self._closed.append(bar)
        return [bar]


def _bars(history: BarSeries) -> Iterator[Bar]:
    columns = (history.opened_ms, history.open, history.high, history.low, history.close, history.volume)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield Bar(*row)
