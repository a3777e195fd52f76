"""How market data is written in Redis: one small state per instrument, one block per bar series.

Prices stay float64 bit by bit; nothing is formatted as text on the way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np

from apps.exchanges.ports import BookUpdate, MarkUpdate
from moondev.domain.clock import from_milliseconds
from moondev.domain.market_data import BarSeries, Book, BookLevel

COLUMNS = 5
_EPOCH_MS = 1000.0


class StoredState(msgspec.Struct, array_like=True):
    """The newest word on one instrument. Times are milliseconds UTC; NaN mark or funding: not heard yet.

    `bars` maps an interval in seconds to the open time of its newest closed bar; `funding` is a share per hour.
    """

    bids: list[tuple[float, float]] = []
    asks: list[tuple[float, float]] = []
    book_exchange_ms: float = 0.0
    book_received_ms: float = 0.0
    mark: float = float("nan")
    mark_received_ms: float = 0.0
    bars: dict[int, int] = {}
    funding: float = float("nan")

    def book(self) -> Book | None:
        """Return the book; None when none was heard yet."""
        if not self.book_received_ms:
            return None
        return Book(
            tuple(BookLevel(price, size) for price, size in self.bids),
            tuple(BookLevel(price, size) for price, size in self.asks),
            from_milliseconds(self.book_exchange_ms),
            from_milliseconds(self.book_received_ms),
        )

    def age(self, now: datetime) -> timedelta:
        """Return how old the book is: prices are traded on, and a mark alone is not a price."""
        if not self.book_received_ms:
            return timedelta.max
        return max(now - from_milliseconds(self.book_received_ms), timedelta(0))

    def mark_age(self, now: datetime) -> timedelta | None:
        """Return how old the mark is; None when none was heard yet."""
        if not self.mark_received_ms:
            return None
        return max(now - from_milliseconds(self.mark_received_ms), timedelta(0))


class LiveState:
    """The same in the process that writes it: what came last, as it came; made into bytes only when written."""

    __slots__ = ("_book", "_mark", "bars")

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._book: Book | None = None
        self._mark: MarkUpdate | None = None
        self.bars: dict[int, int] = {}

    @property
    def book(self) -> Book | None:
        """Return the newest book; None when none was heard yet."""
        return self._book

    def take_book(self, update: BookUpdate) -> None:
        """Replace the book."""
        self._book = update.book

    def take_mark(self, update: MarkUpdate) -> None:
        """Replace the mark price."""
        self._mark = update

    def stored(self) -> StoredState:
        """Return what is to be written."""
        state = StoredState(bars=self.bars)
        book, mark = self._book, self._mark
        if book is not None:
            state.bids = [(level.price, level.size) for level in book.bids]
            state.asks = [(level.price, level.size) for level in book.asks]
            state.book_exchange_ms = book.time_exchange.timestamp() * _EPOCH_MS
            state.book_received_ms = book.time_received.timestamp() * _EPOCH_MS
        if mark is not None:
            state.mark = mark.mark_price
            state.funding = mark.funding_rate
            state.mark_received_ms = mark.time_received.timestamp() * _EPOCH_MS
        return state


def pack_bars(series: BarSeries) -> bytes:
    """Return the series as one block: stamps as int64, then each column as float64."""
    columns = (series.open, series.high, series.low, series.close, series.volume)
    return b"".join([series.opened_ms.tobytes(), *(column.tobytes() for column in columns)])


def unpack_bars(block: bytes, interval: timedelta) -> BarSeries:
    """Return the series in `block`; the columns are views of it, so this copies nothing."""
    count = len(block) // (8 * (COLUMNS + 1))
    stamps = np.frombuffer(block, dtype=np.int64, count=count)
    columns = np.frombuffer(block, dtype=np.float64, offset=8 * count).reshape(COLUMNS, count)
    return BarSeries(interval, stamps, *columns)
