"""Bars of one coin in every interval, built from prints. A bar that has ended never changes.

Intervals are the venue's
(https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#candle-snapshot);
a month is left out because its length varies.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from moondev.domain.errors import InvalidValue

MINUTE_MS = 60_000
_HOUR_MS = 60 * MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
# 1970-01-01 was a Thursday; the venue's weeks start on Thursday too.
INTERVALS: Mapping[str, int] = MappingProxyType(
    {
        "1m": MINUTE_MS,
        "3m": 3 * MINUTE_MS,
        "5m": 5 * MINUTE_MS,
        "15m": 15 * MINUTE_MS,
        "30m": 30 * MINUTE_MS,
        "1h": _HOUR_MS,
        "2h": 2 * _HOUR_MS,
        "4h": 4 * _HOUR_MS,
        "8h": 8 * _HOUR_MS,
        "12h": 12 * _HOUR_MS,
        "1d": _DAY_MS,
        "3d": 3 * _DAY_MS,
        "1w": 7 * _DAY_MS,
    }
)


def interval_ms(interval: str) -> int:
    """Return the length of `interval`. Raises InvalidValue for one the venue does not have."""
    try:
        return INTERVALS[interval]
    except KeyError:
        raise InvalidValue("interval", interval, ", ".join(INTERVALS)) from None


@dataclass(slots=True)
class Bar:
    """One bar in whole units. `trades` 0 means that the price was carried over."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    trades: int = 0

    def print(self, px: int, size: int) -> None:
        """Count a trade in."""
        if not self.trades:
            self.open = self.high = self.low = px
        self.high = max(self.high, px)
        self.low = min(self.low, px)
        self.close = px
        self.volume += size
        self.trades += 1

    def merge(self, later: Bar) -> None:
        """Count a whole later bar in."""
        if not later.trades:
            return
        if not self.trades:
            self.open, self.high, self.low = later.open, later.high, later.low
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.trades += later.trades


class Series:
    """The bars of one interval, oldest first; the last one is in progress."""

    __slots__ = ("bars", "interval", "length_ms", "opened")

    def __init__(self, interval: str) -> None:
        self.interval = interval
        self.length_ms = INTERVALS[interval]
        self.bars: list[Bar] = []
        self.opened: list[int] = []

    def roll(self, now_ms: int, px: int) -> list[Bar]:
        """Open the bar `now_ms` lies in at price `px`; return those that closed by it.

        Bars without a trade are flat at the last price, so there are no holes.
        """
        start = now_ms - now_ms % self.length_ms
        if not self.bars:
            self._append(Bar(start, px, px, px, px))
            return []
        closed = []
        while self.opened[-1] < start:
            last = self.bars[-1]
            closed.append(last)
            close = last.close
            self._append(Bar(last.open_ms + self.length_ms, close, close, close, close))
        return closed

    def merge(self, bar: Bar) -> None:
        """Count in a finished bar of a shorter interval; bars come in time order."""
        start = bar.open_ms - bar.open_ms % self.length_ms
        if not self.opened or self.opened[-1] < start:
            self._append(Bar(start, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades))
            return
        self.bars[-1].merge(bar)

    def clear(self) -> None:
        """Forget every bar."""
        self.bars.clear()
        self.opened.clear()

    def within(self, start_ms: int, end_ms: int) -> list[Bar]:
        """Return the bars that open within [start_ms, end_ms]."""
        return self.bars[bisect_left(self.opened, start_ms) : bisect_right(self.opened, end_ms)]

    def _append(self, bar: Bar) -> None:
        self.bars.append(bar)
        self.opened.append(bar.open_ms)


class BarBuilder:
    """All intervals of one coin.

    `from_tape`: bars count the recorded prints only, so that a replay serves the recorded bars
    whatever our own orders add to the market.
    """

    __slots__ = ("_series", "from_tape", "next_roll_ms")

    def __init__(self) -> None:
        self._series = {interval: Series(interval) for interval in INTERVALS}
        self.from_tape = False
        self.next_roll_ms = 0

    def series(self, interval: str) -> Series:
        """Return the bars of `interval`. Raises InvalidValue for one the venue does not have."""
        interval_ms(interval)
        return self._series[interval]

    def load(self, interval: str, bars: list[Bar]) -> None:
        """Serve finished `bars` of `interval` as history, in it and in every longer interval.

        What was there before is dropped; `roll` opens the bars in progress again.
        """
        length_ms = interval_ms(interval)
        self.next_roll_ms = 0
        loaded: list[Series] = []
        for series in self._series.values():
            series.clear()
            if series.length_ms % length_ms:
                continue
            # From the longest bars that fit: an hour is two halves sooner than sixty minutes.
            finer = next((one.bars for one in reversed(loaded) if series.length_ms % one.length_ms == 0), bars)
            for bar in finer:
                series.merge(bar)
            loaded.append(series)

    def print(self, px: int, size: int) -> None:
        """Count a trade into every bar in progress; `roll` comes first."""
        for series in self._series.values():
            series.bars[-1].print(px, size)

    def roll(self, now_ms: int, px: int) -> list[tuple[str, Bar]]:
        """Close the bars that end by `now_ms`; return them with their intervals."""
        if now_ms < self.next_roll_ms:
            return []
        self.next_roll_ms = now_ms - now_ms % MINUTE_MS + MINUTE_MS
        return [(interval, bar) for interval, series in self._series.items() for bar in series.roll(now_ms, px)]

    def day_before(self, now_ms: int) -> list[Bar]:
        """Return the bars of the last 24 hours in the finest interval that covers them."""
        start = now_ms - _DAY_MS
        for interval in ("1m", "5m", "15m", "1h", "1d"):
            series = self._series[interval]
            if series.opened and series.opened[0] <= start:
                return series.within(start, now_ms)
        return list(self._series["1m"].bars)
