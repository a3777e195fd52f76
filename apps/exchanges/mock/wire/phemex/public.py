"""The public channels: books, trades, bars, prices of indices and marks, and the pack of all tickers."""

from __future__ import annotations

import asyncio

import orjson

from apps.exchanges.mock.engine.api import Candle, Trade
from apps.exchanges.mock.engine.events import BarClosed, BarUpdated, BookChanged, Event, MarkChanged, TradePrinted
from apps.exchanges.mock.wire.phemex import views_market
from apps.exchanges.mock.wire.phemex.books import SNAPSHOT_SECONDS, StreamedBook
from apps.exchanges.mock.wire.phemex.channels import BOOK, KLINE, PACK, TICK, TRADE, Topic
from apps.exchanges.mock.wire.phemex.market_reads import MarketReads
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.phemex.words import INTERVALS, plain, symbol_of
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import TopicLine, Topics
from moondev.domain.clock import monotonic

_PACK_SECONDS = 1.0
_HISTORY_TRADES, _HISTORY_BARS = 200, 1_000


class PublicStream:
    """What the market's channels are told, and when."""

    def __init__(self, venue: Venue, market: MarketReads) -> None:
        """Listen to the engine of `venue`."""
        self.topics = Topics()
        self._venue, self._exchange, self._market = venue, venue.exchange, market
        self._books: dict[Topic, StreamedBook] = {}
        # The number each book was last told under: a snapshot repeats that state, so it repeats the number.
        self._told: dict[Topic, int] = {}
        self._changed: set[str] = set()
        self._moved: set[str] = set()
        self._marked: set[str] = set()
        self._waiting: dict[Topic, list[object]] = {}
        self._pack_due = 0.0
        self._scheduled = False
        venue.exchange.subscribe(self._on_event)

    def join(self, line: TopicLine, topic: Topic) -> None:
        """Subscribe, and send what the channel begins with."""
        self.topics.join(line, str(topic))
        opening = self._opening(topic)
        if opening is not None:
            line.send(topic.channel, orjson.dumps(opening))

    def leave(self, line: TopicLine, topic: Topic) -> None:
        """Unsubscribe; a book nobody listens to is forgotten."""
        self.topics.leave(line, str(topic))
        if str(topic) not in self.topics:
            self._books.pop(topic, None)
            self._told.pop(topic, None)

    def push_latest(self, now: float) -> None:
        """Send changed books, bars and prices, and the pack when it is due."""
        changed, self._changed = self._changed, set()
        moved, self._moved = self._moved, set()
        marked, self._marked = self._marked, set()
        due = now >= self._pack_due
        if due:
            self._pack_due = now + _PACK_SECONDS
        for topic in map(Topic.parse, self.topics):
            if topic.channel == BOOK:
                self._push_book(topic, now, changed=topic.coin in changed)
            elif topic.channel == KLINE and topic.coin in moved:
                self._push_bar(topic)
            elif topic.channel == TICK and topic.coin in marked:
                self._send(topic, self._tick(topic))
            elif topic.channel == PACK and due:
                self._send(topic, self._pack())

    def _opening(self, topic: Topic) -> Json | None:
        if topic.channel == BOOK:
            book = self._books.get(topic)
            if book is None:
                book = self._books[topic] = StreamedBook(topic.coin, topic.number, monotonic() + SNAPSHOT_SECONDS)
                book.take(self._exchange.book(topic.coin, book.depth or None))
                self._numbered(topic)
            return book.snapshot(self._told[topic])
        if topic.channel == TRADE:
            found = self._exchange.trades(topic.coin, _HISTORY_TRADES)
            return views_market.trades(topic.coin, found, self._venue.next_sequence(), "snapshot")
        if topic.channel == KLINE:
            interval = INTERVALS[topic.number]
            bars = self._exchange.candles(topic.coin, interval, 0, self._venue.now_ms())[-_HISTORY_BARS:]
            return self._klines(topic, views_market.klines(bars), "snapshot")
        return self._tick(topic) if topic.channel == TICK else self._pack()

    def _push_book(self, topic: Topic, now: float, *, changed: bool) -> None:
        book = self._books[topic]
        if now >= book.snapshot_due:
            book.snapshot_due = now + SNAPSHOT_SECONDS
            book.take(self._exchange.book(topic.coin, book.depth or None))
            self._send(topic, book.snapshot(self._numbered(topic)))
        elif changed:
            message = book.change(self._exchange.book(topic.coin, book.depth or None), self._venue.next_sequence())
            if message is not None:
                self._told[topic] = message["sequence"]
                self._send(topic, message)

    def _numbered(self, topic: Topic) -> int:
        number = self._told[topic] = self._venue.next_sequence()
        return number

    def _push_bar(self, topic: Topic) -> None:
        now = self._venue.now_ms()
        # The one before it is asked for because a bar repeats its close.
        bars = self._exchange.candles(topic.coin, INTERVALS[topic.number], now - 2 * topic.number * 1000, now)
        if bars:
            self._send(topic, self._klines(topic, views_market.klines(bars)[:1], "incremental"))

    def _tick(self, topic: Topic) -> Json:
        context = self._exchange.asset_context(topic.coin)
        price = context.mark if topic.detail == "M" else context.oracle
        symbol = f".{topic.detail}{symbol_of(topic.coin)}"
        return {"tick_p": {"last": plain(price), "symbol": symbol, "timestamp": self._venue.now_ns()}}

    def _pack(self) -> Json:
        return {
            "data": [list(self._market.ticker(coin).values()) for coin in sorted(self._venue.coins)],
            "fields": list(views_market.PACK_FIELDS),
            "method": f"{PACK}.update",
            "timestamp": self._venue.now_ns(),
            "type": "snapshot",
        }

    def _klines(self, topic: Topic, rows: list[list[object]], kind: str) -> Json:
        named = {"sequence": self._venue.next_sequence(), "symbol": symbol_of(topic.coin), "type": kind}
        return {"kline_p": rows, **named}

    def _on_event(self, event: Event) -> None:
        if isinstance(event, BookChanged):
            self._changed.add(event.coin)
        elif isinstance(event, BarUpdated):
            self._moved.add(event.coin)
        elif isinstance(event, MarkChanged):
            self._marked.add(event.coin)
        elif isinstance(event, TradePrinted):
            self._collect(Topic(TRADE, event.trade.coin), event.trade)
        elif isinstance(event, BarClosed):
            seconds = (event.candle.close_ms + 1 - event.candle.open_ms) // 1000
            self._collect(Topic(KLINE, event.candle.coin, str(seconds)), event.candle)

    def _collect(self, topic: Topic, item: object) -> None:
        """Keep what must not be lost until the engine is done with the request that caused it."""
        if str(topic) not in self.topics:
            return
        self._waiting.setdefault(topic, []).append(item)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        waiting, self._waiting = self._waiting, {}
        for topic, items in waiting.items():
            trades = [item for item in items if isinstance(item, Trade)]
            bars = [item for item in items if isinstance(item, Candle)]
            if trades:
                # Newest first, as in the history it begins with.
                number = self._venue.next_sequence()
                self._send(topic, views_market.trades(topic.coin, trades[::-1], number, "incremental"))
            if bars:
                self._send(topic, self._klines(topic, views_market.klines(bars), "incremental"))

    def _send(self, topic: Topic, message: Json) -> None:
        self.topics.send(str(topic), orjson.dumps(message), topic.channel)
