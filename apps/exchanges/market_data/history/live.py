"""Live events as rows that are kept: books, trades, marks, and bars that close once. Pure of any loop or socket."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from apps.exchanges.market_data.bars import Bar, BarTail
from apps.exchanges.market_data.history.download import table_of_trades
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
from apps.exchanges.ports import (
    BookUpdate,
    CandleUpdate,
    Connected,
    Disconnected,
    MarketEvent,
    MarkUpdate,
    TradeBatch,
)
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book, TradeTick

RECORDED = (Kind.BOOKS, Kind.TRADES, Kind.MARKS, Kind.CANDLES)
# Of a live series only the newest closed bar is of interest here: what is older is kept already.
TAIL = 2

KeepBars = Callable[[str, timedelta, list[Bar]], None]
OnGap = Callable[[str, timedelta], None]


class LiveRows:
    """Gathers the rows of one venue until they are drained.

    `keep_bars` is given closed bars, `on_gap` the (symbol, interval) whose bars the venue has to settle.
    """

    def __init__(
        self,
        venue: str,
        symbols: Iterable[str],
        intervals: Collection[timedelta],
        kinds: Collection[Kind],
        keep_bars: KeepBars,
        on_gap: OnGap,
    ) -> None:
        self._venue, self._kinds = venue, frozenset(kinds)
        self._keep_bars, self._on_gap = keep_bars, on_gap
        self._tails = {(symbol, interval): BarTail(interval, TAIL) for symbol in symbols for interval in intervals}
        self._books: dict[str, list[Book]] = {}
        self._trades: dict[str, list[TradeTick]] = {}
        self._marks: dict[str, list[MarkUpdate]] = {}
        self.counts = dict.fromkeys(RECORDED, 0)
        self.refused = 0
        self._by_kind: dict[type, Callable[[Any], None]] = {
            BookUpdate: self._take_book,
            TradeBatch: self._take_trades,
            MarkUpdate: self._take_mark,
            CandleUpdate: self._take_candle,
            Connected: self._take_connected,
            Disconnected: self._take_disconnected,
        }

    def take(self, event: MarketEvent) -> None:
        """Take one event. What breaks a rule of market data is counted in `refused` and goes no further."""
        take = self._by_kind.get(type(event))
        if take is None:
            return
        try:
            take(event)
        except InvalidValue:
            self.refused += 1

    def close_due(self, now: datetime) -> None:
        """Close the bars whose end plus grace has passed without a word from the venue."""
        for (symbol, interval), tail in self._tails.items():
            self._closed(symbol, interval, tail, tail.close_due(milliseconds(now)))

    def drain(self) -> dict[SeriesKey, pa.Table]:
        """Return what came since the last time, series by series."""
        books, trades, marks = self._books, self._trades, self._marks
        self._books, self._trades, self._marks = {}, {}, {}
        drained = {self._key(Kind.BOOKS, symbol): table_of_books(rows) for symbol, rows in books.items()}
        drained |= {self._key(Kind.TRADES, symbol): table_of_trades(rows) for symbol, rows in trades.items()}
        drained |= {self._key(Kind.MARKS, symbol): table_of_marks(rows) for symbol, rows in marks.items()}
        return drained

    def _take_book(self, event: BookUpdate) -> None:
        if Kind.BOOKS in self._kinds:
            self._books.setdefault(event.symbol, []).append(event.book)
            self.counts[Kind.BOOKS] += 1

    def _take_trades(self, event: TradeBatch) -> None:
        if Kind.TRADES in self._kinds:
            self._trades.setdefault(event.symbol, []).extend(event.trades)
            self.counts[Kind.TRADES] += len(event.trades)

    def _take_mark(self, event: MarkUpdate) -> None:
        if Kind.MARKS in self._kinds:
            self._marks.setdefault(event.symbol, []).append(event)
            self.counts[Kind.MARKS] += 1

    def _take_candle(self, event: CandleUpdate) -> None:
        tail = self._tails.get((event.symbol, event.interval))
        if tail is None:
            return
        bar = Bar(event.opened_ms, event.open, event.high, event.low, event.close, event.volume)
        self._closed(event.symbol, event.interval, tail, tail.update(bar, closed=event.closed))

    def _take_connected(self, event: Connected) -> None:
        for (symbol, interval), tail in self._tails.items() if event.silent_since is not None else ():
            tail.mended(milliseconds(event.time_received))
            self._on_gap(symbol, interval)

    def _take_disconnected(self, _event: Disconnected) -> None:
        for tail in self._tails.values():
            tail.broken()

    def _closed(self, symbol: str, interval: timedelta, tail: BarTail, bars: list[Bar]) -> None:
        if bars:
            self._keep_bars(symbol, interval, bars)
            self.counts[Kind.CANDLES] += len(bars)
        if tail.take_gap():
            self._on_gap(symbol, interval)

    def _key(self, kind: Kind, symbol: str) -> SeriesKey:
        return SeriesKey(self._venue, kind, symbol)


def table_of_books(books: list[Book]) -> pa.Table:
    """Return books as rows."""
    columns = [
        [milliseconds(book.time_exchange) for book in books],
        [milliseconds(book.time_received) for book in books],
        [[level.price for level in book.bids] for book in books],
        [[level.size for level in book.bids] for book in books],
        [[level.price for level in book.asks] for book in books],
        [[level.size for level in book.asks] for book in books],
    ]
    schema = SCHEMAS[Kind.BOOKS]
    return pa.table([pa.array(v, t) for v, t in zip(columns, schema.types, strict=True)], schema=schema)


def table_of_marks(marks: list[MarkUpdate]) -> pa.Table:
    """Return marks as rows."""
    columns = [
        [milliseconds(mark.time_received) for mark in marks],
        [mark.mark_price for mark in marks],
        [mark.oracle_price for mark in marks],
        [mark.funding_rate for mark in marks],
    ]
    schema = SCHEMAS[Kind.MARKS]
    return pa.table([pa.array(v, t) for v, t in zip(columns, schema.types, strict=True)], schema=schema)
