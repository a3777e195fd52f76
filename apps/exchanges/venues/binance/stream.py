"""Binance's public streams as domain events.

The venue splits them over two addresses, one for books, best quotes and single trades, one for the rest, and serves
nothing of the one kind at the other. https://developers.binance.com/docs/derivatives/usds-margined-futures/
websocket-market-streams
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    MarketEvent,
    MarketHandler,
    MarketSubscription,
    MarkUpdate,
    ParseError,
    TradeBatch,
    VenueConfig,
)
from apps.exchanges.venues.binance import parse_market
from apps.exchanges.venues.binance.config import endpoints
from apps.exchanges.venues.binance.depth import FollowedBook
from apps.exchanges.venues.binance.dialects import Reader, StreamDialect
from apps.exchanges.venues.binance.messages import DepthAnswer
from apps.exchanges.venues.binance.rest import Rest
from apps.exchanges.venues.binance.snapshots import FundingHours, Snapshots
from apps.exchanges.venues.binance.stream_messages import BarEvent, DepthEvent, MarkEvent, QuoteEvent, TradeEvent
from apps.exchanges.venues.binance.together import JoinedStream, Work
from apps.exchanges.venues.message_stream import MessageDialect
from apps.exchanges.venues.rows import reading
from apps.exchanges.venues.websocket import Patience
from moondev.domain.errors import InvalidValue

PUBLIC, MARKET = "/public/ws", "/market/ws"
# The venue allows 1,024 streams on one connection.
STREAMS_PER_CONNECTION = 900


class BookDialect(StreamDialect):
    """The dialect of books: it follows them, and wants a snapshot whenever it has lost the thread."""

    def __init__(self, streams: Sequence[str], snapshots: Snapshots, handler: MarketHandler) -> None:
        """Want snapshots of `snapshots`."""
        readers: Mapping[str, tuple[Any, Reader]] = {
            "depthUpdate": (DepthEvent, self._change),
            "bookTicker": (QuoteEvent, _quote),
        }
        super().__init__(streams, readers, handler)
        self._snapshots = snapshots
        self._books: dict[str, FollowedBook] = {
            name.partition("@")[0].upper(): FollowedBook() for name in streams if "@depth" in name
        }

    def opening(self) -> Sequence[bytes]:
        """Begin anew: what was said while nobody listened is in no book."""
        for book in self._books.values():
            book.forget()
        return super().opening()

    def stood(self) -> None:
        """Want every book, now and not before: of a change between a snapshot and its stream nobody would tell."""
        for symbol in self._books:
            self._snapshots.want(symbol)

    def holds(self, symbol: str) -> bool:
        """Return whether this connection follows a symbol's book."""
        return symbol in self._books

    def start(self, symbol: str, answer: DepthAnswer, received: datetime) -> None:
        """Take a snapshot; want another when it does not meet the differences."""
        book = self._books[symbol]
        try:
            with reading("book", f"snapshot {answer.lastUpdateId} of {symbol}"):
                found = book.start(answer, received)
        except ParseError as error:
            self.odd(str(error))
            book.forget()
            found = None
        if found is None:
            self._snapshots.want(symbol)
        else:
            self._handler(BookUpdate(symbol, found))

    def _change(self, event: DepthEvent, received: datetime) -> Iterable[MarketEvent]:
        book = self._books.get(event.symbol)
        if book is None:
            raise InvalidValue("symbol", event.symbol, "a symbol that was asked for")
        was_known = book.known
        try:
            found = book.change(event, received)
        except InvalidValue:
            book.forget()
            self._snapshots.want(event.symbol)
            raise
        if was_known and not book.known:
            self._snapshots.want(event.symbol)
        return () if found is None else (BookUpdate(event.symbol, found),)


def market_stream(
    venue: VenueConfig,
    subscriptions: Sequence[MarketSubscription],
    handler: MarketHandler,
    tools: Tools,
    patience: Patience | None = None,
) -> JoinedStream:
    """Return the public stream of `subscriptions`. Raises Configuration for a bad address."""
    where = endpoints(venue)
    rest = Rest(where, tools)
    snapshots, hours = Snapshots(rest, tools.clock), FundingHours(rest)
    readers: Mapping[str, tuple[Any, Reader]] = {
        "aggTrade": (TradeEvent, _trade),
        "kline": (BarEvent, _candle),
        "markPriceUpdate": (MarkEvent, partial(_mark, hours)),
    }
    quick = [name for wanted in subscriptions for name in _public_streams(wanted)]
    other = [name for wanted in subscriptions for name in _market_streams(wanted)]
    books = [BookDialect(part, snapshots, handler) for part in _parts(quick)]
    rest_of_it = [StreamDialect(part, readers, handler) for part in _parts(other)]
    lines: list[tuple[str, MessageDialect]] = [(where.websocket_url + PUBLIC, dialect) for dialect in books]
    lines += [(where.websocket_url + MARKET, dialect) for dialect in rest_of_it]
    if not lines:
        raise InvalidValue("subscriptions", len(subscriptions), "at least one kind of data of one symbol")

    def take(symbol: str, answer: DepthAnswer, received: datetime) -> None:
        for dialect in books:
            if dialect.holds(symbol):
                dialect.start(symbol, answer, received)

    work: list[Work] = [partial(snapshots.run, take)] if books else []
    if any(wanted.mark for wanted in subscriptions):
        work.append(hours.run)
    return JoinedStream(lines, handler, tools.clock, patience, work)


def _public_streams(wanted: MarketSubscription) -> list[str]:
    symbol = wanted.symbol.lower()
    channels = {"depth@100ms": wanted.book, "bookTicker": wanted.best_quote}
    return [f"{symbol}@{channel}" for channel, asked in channels.items() if asked]


def _market_streams(wanted: MarketSubscription) -> list[str]:
    symbol = wanted.symbol.lower()
    channels = {"aggTrade": wanted.trades, "markPrice@1s": wanted.mark}
    plain = [f"{symbol}@{channel}" for channel, asked in channels.items() if asked]
    return plain + [f"{symbol}@kline_{parse_market.interval_name(interval)}" for interval in wanted.candles]


def _parts(streams: Sequence[str]) -> list[Sequence[str]]:
    return [streams[start : start + STREAMS_PER_CONNECTION] for start in range(0, len(streams), STREAMS_PER_CONNECTION)]


def _quote(event: QuoteEvent, received: datetime) -> Iterable[BestQuoteUpdate]:
    return (parse_market.best_quote(event, received),)


def _trade(event: TradeEvent, received: datetime) -> Iterable[TradeBatch]:
    return (parse_market.trade(event, received),)


def _candle(event: BarEvent, received: datetime) -> Iterable[CandleUpdate]:
    return (parse_market.candle(event, received),)


def _mark(hours: FundingHours, event: MarkEvent, received: datetime) -> Iterable[MarkUpdate]:
    """Return the mark, once it is known for how many hours its rate is."""
    interval = hours.of(event.symbol)
    return () if interval is None else (parse_market.mark(event, interval, received),)
