"""The public stream: books, trades, bars and tickers by topic."""

from __future__ import annotations

import asyncio

import orjson

from apps.exchanges.mock.engine.bars import INTERVALS as INTERVAL_MS
from apps.exchanges.mock.engine.events import BarClosed, BarUpdated, BookChanged, Event, MarkChanged, TradePrinted
from apps.exchanges.mock.wire.bybit import market_views
from apps.exchanges.mock.wire.bybit.books import StreamedBook
from apps.exchanges.mock.wire.bybit.venue import Venue
from apps.exchanges.mock.wire.bybit.words import INTERVALS, QUOTE, symbol_of
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import TopicLine, Topics

DEPTHS = (1, 50, 200, 500, 1000)
_TICKER_SECONDS, _BAR_SECONDS = 0.1, 1.0


class PublicStream:
    """What the market's topics are told, and when."""

    def __init__(self, venue: Venue) -> None:
        """Listen to the engine of `venue`."""
        self.topics = Topics()
        self._venue = venue
        self._books: dict[str, StreamedBook] = {}
        self._tickers: dict[str, Json] = {}
        self._changed: set[str] = set()
        self._moved: set[str] = set()
        self._waiting: dict[str, list[Json]] = {}
        self._ticker_due = self._bar_due = 0.0
        self._scheduled = False
        venue.exchange.subscribe(self._on_event)

    def known(self, topic: str) -> bool:
        """Return whether there is such a topic."""
        kind, coin, detail = _parts(topic)
        if coin not in self._venue.coins:
            return False
        if kind == "orderbook":
            return detail.isdecimal() and int(detail) in DEPTHS
        return (kind == "kline" and detail in INTERVALS) or (kind in ("publicTrade", "tickers") and not detail)

    def join(self, line: TopicLine, topic: str) -> None:
        """Subscribe, and send what the topic begins with."""
        self.topics.join(line, topic)
        kind, coin, detail = _parts(topic)
        now = self._venue.now_ms()
        if kind == "orderbook":
            book = self._books.get(topic)
            if book is None:
                book = self._books[topic] = StreamedBook(coin, int(detail))
                book.change(topic, self._venue.exchange.book(coin, int(detail)), now)
            line.send(topic, orjson.dumps(book.snapshot(topic, now)))
        elif kind == "tickers":
            row = self._tickers.setdefault(topic, self._venue.ticker_row(coin))
            line.send(topic, orjson.dumps(_ticker(topic, "snapshot", row, now)))

    def leave(self, line: TopicLine, topic: str) -> None:
        """Unsubscribe; a book nobody listens to is forgotten."""
        self.topics.leave(line, topic)
        if topic not in self.topics:
            self._books.pop(topic, None)
            self._tickers.pop(topic, None)

    def forget(self, line: TopicLine) -> None:
        """Drop a client that is gone."""
        for topic in tuple(line.topics):
            self.leave(line, topic)

    def push_latest(self, now: float) -> None:
        """Send changed books and bars, and tickers when they are due."""
        changed, self._changed = self._changed, set()
        due = now >= self._ticker_due
        if due:
            self._ticker_due = now + _TICKER_SECONDS
        # The venue repeats a bar in which nothing happens, too.
        quiet = now >= self._bar_due
        if quiet:
            self._bar_due = now + _BAR_SECONDS
        for topic in self.topics:
            kind, coin, detail = _parts(topic)
            if kind == "orderbook" and coin in changed:
                self._push_book(topic, coin)
            elif kind == "kline" and (quiet or coin in self._moved):
                self._push_bar(topic, coin, detail)
            elif kind == "tickers" and due:
                self._push_ticker(topic, coin)
        self._moved.clear()

    def _push_book(self, topic: str, coin: str) -> None:
        book, now = self._books[topic], self._venue.now_ms()
        message = book.change(topic, self._venue.exchange.book(coin, book.depth), now)
        if message is not None:
            self.topics.send(topic, orjson.dumps(message))

    def _push_bar(self, topic: str, coin: str, word: str) -> None:
        now = self._venue.now_ms()
        interval = INTERVALS[word]
        bars = self._venue.exchange.candles(coin, interval, now - INTERVAL_MS[interval], now)
        if bars:
            self._tell(topic, [market_views.kline_event(bars[-1], now, confirm=False)])

    def _push_ticker(self, topic: str, coin: str) -> None:
        row, before = self._venue.ticker_row(coin), self._tickers.get(topic, {})
        changed = {name: value for name, value in row.items() if before.get(name) != value}
        if changed:
            self._tickers[topic] = row
            message = _ticker(topic, "delta", {"symbol": row["symbol"], **changed}, self._venue.now_ms())
            self.topics.send(topic, orjson.dumps(message))

    def _tell(self, topic: str, rows: list[Json]) -> None:
        message = {"topic": topic, "type": "snapshot", "ts": self._venue.now_ms(), "data": rows}
        self.topics.send(topic, orjson.dumps(message))

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BookChanged):
            self._changed.add(event.coin)
        elif isinstance(event, BarUpdated | MarkChanged):
            self._moved.add(event.coin)
        elif isinstance(event, TradePrinted):
            self._collect(f"publicTrade.{symbol_of(event.trade.coin)}", market_views.trade_event(event.trade))
        elif isinstance(event, BarClosed):
            word = next((word for word, ours in INTERVALS.items() if ours == event.candle.interval), None)
            if word is not None:
                topic = f"kline.{word}.{symbol_of(event.candle.coin)}"
                if topic in self.topics:
                    self._collect(topic, market_views.kline_event(event.candle, self._venue.now_ms(), confirm=True))

    def _collect(self, topic: str, row: Json) -> None:
        """Keep what must not be lost until the engine is done with the request that caused it."""
        if topic not in self.topics:
            return
        self._waiting.setdefault(topic, []).append(row)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        waiting, self._waiting = self._waiting, {}
        for topic, rows in waiting.items():
            self._tell(topic, rows)


def _parts(topic: str) -> tuple[str, str, str]:
    """Return kind, coin and detail (depth or interval) of a topic."""
    words = topic.split(".")
    coin = words[-1].removesuffix(QUOTE) if words[-1].endswith(QUOTE) else ""
    return words[0], coin, ".".join(words[1:-1])


def _ticker(topic: str, kind: str, row: Json, now: int) -> Json:
    return {"topic": topic, "type": kind, "data": row, "cs": now, "ts": now}
