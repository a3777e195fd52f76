"""What becomes of each market event: state, bars, and news for the dispatcher.

Pure of any loop or socket: the stream process hands events in and flushes the writer, tests do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.exchanges.market_data.bars import Bar, BarTail
from apps.exchanges.market_data.cache import MarketWriter
from apps.exchanges.market_data.wishes import Wanted
from apps.exchanges.ports import BookUpdate, CandleUpdate, Connected, Disconnected, MarketEvent, MarkUpdate, TradeBatch
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarClosed, BarSeries

BPS = 10_000

KeepBars = Callable[[str, timedelta, Sequence[Bar]], None]


@dataclass(slots=True)
class _Watched:
    wanted: Wanted
    tails: dict[timedelta, BarTail] = field(default_factory=dict)
    reported_mid: float | None = None


class MarketRecorder:
    """Turns market events into cache writes and news.

    `on_gap` is told the (symbol, interval) that lack bars, `keep` every bar that closed, also those of history.
    """

    def __init__(
        self,
        venue: str,
        wanted: Iterable[Wanted],
        writer: MarketWriter,
        on_gap: Callable[[str, timedelta], None],
        keep: KeepBars = lambda _symbol, _interval, _bars: None,
    ) -> None:
        self._venue, self._writer, self._on_gap, self._keep = venue, writer, on_gap, keep
        self._watched = {wish.symbol: self._watch(wish) for wish in wanted}
        self.refused = 0
        # What nobody keeps yet (best quotes) has no line here and is let go.
        self._by_kind: dict[type, Callable[[Any], None]] = {
            BookUpdate: self._take_book,
            MarkUpdate: self._take_mark,
            TradeBatch: self._take_trades,
            CandleUpdate: self._take_candle,
            Connected: self._take_connected,
            Disconnected: self._take_disconnected,
        }

    def backfill(self, symbol: str, history: BarSeries, asked: datetime) -> None:
        """Put the venue's history, as it was when `asked` for, under a series and tell of its newest bar.

        Told twice it is still one tick; told never, a bar that closed while nobody listened would be lost.
        """
        watched = self._watched.get(symbol)
        tail = watched.tails.get(history.interval) if watched else None
        if watched is None or tail is None:
            return
        self._keep(symbol, history.interval, tail.backfill(history, milliseconds(asked)))
        self._writer.bars(watched.wanted.key, tail.series())
        if tail.last_opened_ms is not None:
            self._tell(watched, symbol, history.interval, tail.last_opened_ms, asked)

    def book_ages(self, now: datetime) -> dict[str, float]:
        """Return by symbol how many seconds of the run ago its book came; symbols without one are left out."""
        ages: dict[str, float] = {}
        for symbol, watched in self._watched.items():
            book = self._writer.newest_book(watched.wanted.key)
            if book is not None:
                ages[symbol] = max((now - book.time_received).total_seconds(), 0.0)
        return ages

    def kept(self, symbol: str, interval: timedelta) -> int:
        """Return how many bars of a series are kept; 0 when it is not watched."""
        watched = self._watched.get(symbol)
        return dict(watched.wanted.bars).get(interval, 0) if watched else 0

    def take(self, event: MarketEvent) -> None:
        """Record one event. What breaks a rule of market data is counted in `refused` and goes no further."""
        take = self._by_kind.get(type(event))
        if take is None:
            return
        try:
            take(event)
        except InvalidValue:
            self.refused += 1

    def close_due(self, now: datetime) -> None:
        """Close the bars whose end plus grace has passed without a word from the venue."""
        for symbol, watched in self._watched.items():
            for interval, tail in watched.tails.items():
                self._closed(symbol, interval, tail.close_due(milliseconds(now)), now)
                self._look_for_gap(symbol, interval, tail)

    def _take_book(self, event: BookUpdate) -> None:
        watched = self._watched.get(event.symbol)
        if watched is None:
            return
        self._writer.state(watched.wanted.key).take_book(event)
        if watched.wanted.book_move_bps:
            self._report_move(watched, event)

    def _take_mark(self, event: MarkUpdate) -> None:
        watched = self._watched.get(event.symbol)
        if watched is not None:
            self._writer.state(watched.wanted.key).take_mark(event)

    def _take_trades(self, event: TradeBatch) -> None:
        if event.symbol in self._watched:
            self._writer.trades(event.trades)

    def _take_candle(self, event: CandleUpdate) -> None:
        watched = self._watched.get(event.symbol)
        tail = watched.tails.get(event.interval) if watched else None
        if tail is None:
            return
        bar = Bar(event.opened_ms, event.open, event.high, event.low, event.close, event.volume)
        self._closed(event.symbol, event.interval, tail.update(bar, closed=event.closed), event.time_received)
        self._look_for_gap(event.symbol, event.interval, tail)

    def _take_connected(self, event: Connected) -> None:
        for symbol, watched in self._watched.items() if event.silent_since is not None else ():
            for interval, tail in watched.tails.items():
                tail.mended(milliseconds(event.time_received))
                self._on_gap(symbol, interval)

    def _take_disconnected(self, _event: Disconnected) -> None:
        for watched in self._watched.values():
            for tail in watched.tails.values():
                tail.broken()

    def _watch(self, wish: Wanted) -> _Watched:
        return _Watched(wish, {interval: BarTail(interval, keep) for interval, keep in wish.bars})

    def _closed(self, symbol: str, interval: timedelta, bars: list[Bar], now: datetime) -> None:
        if not bars:
            return
        watched = self._watched[symbol]
        tail = watched.tails[interval]
        self._writer.bars(watched.wanted.key, tail.series())
        self._keep(symbol, interval, bars)
        self._tell(watched, symbol, interval, bars[-1].opened_ms, now)

    def _look_for_gap(self, symbol: str, interval: timedelta, tail: BarTail) -> None:
        if tail.take_gap():
            self._on_gap(symbol, interval)

    def _tell(self, watched: _Watched, symbol: str, interval: timedelta, opened_ms: int, now: datetime) -> None:
        news = BarClosed(self._venue, symbol, interval, opened_ms, now)
        closed_at = from_milliseconds(opened_ms) + interval
        self._writer.event("bar", watched.wanted.key, news.event_id, closed_at, interval)

    def _report_move(self, watched: _Watched, event: BookUpdate) -> None:
        if not event.book.bids or not event.book.asks:
            return
        mid, last = event.book.mid, watched.reported_mid
        if last is not None and abs(mid - last) / last * BPS < watched.wanted.book_move_bps:
            return
        watched.reported_mid = mid
        stamp = milliseconds(event.book.time_exchange)
        event_id = f"book:{watched.wanted.key}:{stamp}"
        self._writer.event("book", watched.wanted.key, event_id, from_milliseconds(stamp))
