"""Market data as strategies see it: frozen, timed twice, float64.

What a stream brings by the ten thousand a second is a `msgspec.Struct`: frozen like the rest, made ten times as fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from moondev.domain.clock import require_aware
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Side

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BarSeries:
    """Closed bars, oldest first. Every column has shape (n,), float64; `opened_ms` is int64.

    `opened_ms` is the bar's open time in milliseconds UTC; prices in quote currency, volume in base.
    """

    interval: timedelta
    opened_ms: NDArray[np.int64]
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    def __post_init__(self) -> None:
        """Refuse columns of different length, stamps out of order and prices that break OHLC."""
        lengths = {len(c) for c in (self.opened_ms, self.open, self.high, self.low, self.close)}
        if lengths != {len(self.volume)}:
            raise InvalidValue("bars", sorted(lengths), "columns of one length")
        rising = np.diff(self.opened_ms) > 0
        if not bool(rising.all()):
            row = int(np.flatnonzero(~rising)[0]) + 1
            raise InvalidValue("opened_ms", f"{self.opened_ms[row]} in row {row}", "strictly rising stamps")
        top = np.maximum(self.open, self.close)
        bottom = np.minimum(self.open, self.close)
        # What is no number compares with nothing, and so is refused here, too.
        sound = (self.high >= top) & (self.low <= bottom) & (self.low > 0)
        if not bool(sound.all()):
            row = int(np.flatnonzero(~sound)[0])
            prices = "/".join(f"{column[row]:g}" for column in (self.open, self.high, self.low, self.close))
            allowed = "high >= open, close >= low > 0 in every bar"
            raise InvalidValue("bars", f"open/high/low/close {prices} in row {row}", allowed)

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.volume)

    def tail(self, count: int) -> BarSeries:
        """Return the newest `count` bars (all of them when there are fewer)."""
        return self.part(max(0, len(self) - count), len(self))

    def part(self, start: int, stop: int) -> BarSeries:
        """Return the bars of rows [start, stop), 0 <= start <= stop, as views of these columns.

        Rows of checked bars are not checked again: a replay cuts a window for every bar of years.
        """
        cut = object.__new__(BarSeries)
        put, rows = object.__setattr__, slice(start, stop)
        put(cut, "interval", self.interval)
        put(cut, "opened_ms", self.opened_ms[rows])
        put(cut, "open", self.open[rows])
        put(cut, "high", self.high[rows])
        put(cut, "low", self.low[rows])
        put(cut, "close", self.close[rows])
        put(cut, "volume", self.volume[rows])
        return cut


class BookLevel(msgspec.Struct, frozen=True, gc=False):
    """One price of an order book: price in quote currency, size in base."""

    price: float
    size: float

    def __eq__(self, other: object) -> bool:
        """Hold a venue's own kind of level equal to ours when it says the same."""
        if not isinstance(other, BookLevel):
            return NotImplemented
        return self.price == other.price and self.size == other.size

    def __hash__(self) -> int:
        return hash((self.price, self.size))


class Book(msgspec.Struct, frozen=True):
    """Top of an order book: bids falling, asks rising."""

    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    time_exchange: datetime
    time_received: datetime

    def __post_init__(self) -> None:
        """Refuse a crossed book and naive times."""
        require_aware("time_exchange", self.time_exchange)
        require_aware("time_received", self.time_received)
        if self.bids and self.asks and self.bids[0].price >= self.asks[0].price:
            raise InvalidValue(
                "book",
                f"bid {self.bids[0].price} >= ask {self.asks[0].price}",
                "a book that is not crossed",
            )

    @property
    def mid(self) -> float:
        """Return the middle of best bid and best ask. Raises InvalidValue when a side is empty."""
        if not self.bids or not self.asks:
            raise InvalidValue("book", "one side is empty", "at least one bid and one ask")
        return (self.bids[0].price + self.asks[0].price) / 2

    @property
    def spread(self) -> float:
        """Return best ask minus best bid in quote currency."""
        return self.asks[0].price - self.bids[0].price


class TradeTick(msgspec.Struct, frozen=True, gc=False):
    """One public trade. `side` is the aggressor's."""

    symbol: str
    trade_id: str
    side: Side
    price: float
    size: float
    time_exchange: datetime
    time_received: datetime


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar that will not change any more; the event that makes bar strategies due."""

    venue: str
    symbol: str
    interval: timedelta
    opened_ms: int
    time_received: datetime

    @property
    def event_id(self) -> str:
        """Return the name of this event, the same wherever it is noticed."""
        return f"bar:{self.venue}:{self.symbol}:{int(self.interval.total_seconds())}:{self.opened_ms}"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a strategy wants to see: per instrument key, bars by interval and whether the book.

    `bars` maps an interval to the number of closed bars wanted; `book` asks for the order book.
    """

    instruments: tuple[str, ...]
    bars: Mapping[timedelta, int] = field(default_factory=dict)
    book: bool = False


@dataclass(frozen=True, slots=True)
class InstrumentView:
    """One instrument as frozen for one tick. `age` counts from the newest datum's receive time.

    `mark_price` is the venue's mark, `funding_rate` the share of the notional that longs pay shorts per hour (each
    None until it has been heard). `mark_age` is the mark's own age where that is known: it may have stopped coming
    while the book goes on.
    """

    bars: Mapping[timedelta, BarSeries]
    book: Book | None
    mark_price: float | None
    age: timedelta
    funding_rate: float | None = None
    mark_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class MarketView:
    """All a strategy sees in one tick: its instruments by key, as of `now`."""

    now: datetime
    instruments: Mapping[str, InstrumentView]

    @property
    def age(self) -> timedelta:
        """Return the age of the stalest instrument. Raises InvalidValue when there is none."""
        if not self.instruments:
            raise InvalidValue("view", "no instrument", "at least one instrument")
        return max(view.age for view in self.instruments.values())
