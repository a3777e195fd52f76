"""What Bybit's public topics say, as events; what is told in differences is kept here between messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import msgspec

from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    MarketEvent,
    MarketSubscription,
    MarkUpdate,
    ParseError,
)
from apps.exchanges.venues.bybit import parse_market
from apps.exchanges.venues.bybit.books import FollowedBook, Standing
from apps.exchanges.venues.bybit.messages import BookNews, Envelope, KlineNews, TickerNews, TradeNews
from apps.exchanges.venues.bybit.parse_market import BOOK_DEPTH, interval_name, positive
from apps.exchanges.venues.rows import UNREADABLE
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

BOOK, QUOTE = f"orderbook.{BOOK_DEPTH}", "orderbook.1"
# Of fifty prices a side, so many are handed on.
TOLD_DEPTH = 20
# What the rate of funding is for, where a ticker does not say.
_USUAL_FUNDING_HOURS = 8.0

# Lax: prices and sizes are texts here, and become floats only where they are plain numbers.
_BOOKS = msgspec.json.Decoder(BookNews, strict=False)
_TRADES = msgspec.json.Decoder(list[TradeNews], strict=False)
_KLINES = msgspec.json.Decoder(list[KlineNews], strict=False)
_TICKERS = msgspec.json.Decoder(TickerNews, strict=False)


def topics_of(wanted: MarketSubscription) -> list[str]:
    """Return the topics of a subscription. Raises InvalidValue for a bar the venue does not have."""
    symbol = wanted.symbol
    plain = {BOOK: wanted.book, QUOTE: wanted.best_quote, "publicTrade": wanted.trades, "tickers": wanted.mark}
    bars = [f"kline.{interval_name(interval)}.{symbol}" for interval in wanted.candles]
    return [f"{kind}.{symbol}" for kind, asked in plain.items() if asked] + bars


@dataclass(slots=True)
class _Ticker:
    """What is known of one symbol's marks."""

    mark: float = math.nan
    index: float = math.nan
    rate: float = math.nan
    hours: float = _USUAL_FUNDING_HOURS


class MarketTopics:
    """The state of one connection's topics. `lost` are those whose books must be asked for anew."""

    def __init__(self, wanted: Iterable[str]) -> None:
        """Start knowing nothing about the topics of `wanted`."""
        self._readers = {topic: (_READERS[topic.partition(".")[0]], topic.rpartition(".")[2]) for topic in wanted}
        self._books: dict[str, FollowedBook] = {}
        self._tickers: dict[str, _Ticker] = {}
        self.lost: list[str] = []

    def events(self, envelope: Envelope, received: datetime) -> Sequence[MarketEvent]:
        """Return the events in news of a topic. Raises ParseError."""
        known = self._readers.get(envelope.topic)
        if known is None:
            raise ParseError("message", "a topic nobody asked for", envelope.topic)
        reader, symbol = known
        try:
            return reader(self, symbol, envelope, received)
        except UNREADABLE as error:
            raise ParseError(envelope.topic, str(error), bytes(envelope.data)) from error

    def take_lost(self) -> list[str]:
        """Return, once, the topics whose books must be asked for anew."""
        lost, self.lost = self.lost, []
        return lost

    def book(self, symbol: str, envelope: Envelope, received: datetime) -> Sequence[MarketEvent]:
        """Return the book, or its best prices, as they are after this message."""
        topic = envelope.topic
        whole = topic.startswith(BOOK)
        book = self._books.get(topic)
        if book is None:
            book = self._books[topic] = FollowedBook(TOLD_DEPTH if whole else 1)
        try:
            news = _BOOKS.decode(envelope.data)
            _require(symbol, news.s)
            if book.take(envelope.type, news) is not Standing.NEWS:
                return ()
            told = book.told(from_milliseconds(envelope.ts), received)
        except UNREADABLE:
            # Whatever it said is missing now.
            book.forget()
            raise
        finally:
            if not book.known and book.to_be_asked():
                self.lost.append(topic)
        if whole:
            return (BookUpdate(symbol, told),)
        bid, ask = (side[0] if side else None for side in (told.bids, told.asks))
        return (BestQuoteUpdate(symbol, bid, ask, told.time_exchange, received),)

    def trades(self, symbol: str, envelope: Envelope, received: datetime) -> Sequence[MarketEvent]:
        """Return the trades."""
        news = _TRADES.decode(envelope.data)
        for trade in news:
            _require(symbol, trade.s)
        return (parse_market.trades(news, received),) if news else ()

    def bars(self, symbol: str, envelope: Envelope, received: datetime) -> Sequence[MarketEvent]:
        """Return the bars."""
        return [parse_market.candle(symbol, news, received) for news in _KLINES.decode(envelope.data)]

    def ticker(self, symbol: str, envelope: Envelope, received: datetime) -> Sequence[MarketEvent]:
        """Return the mark, once everything about it has been told; a difference names what changed alone."""
        news = _TICKERS.decode(envelope.data)
        _require(symbol, news.symbol)
        known = self._tickers.get(symbol)
        if known is None or envelope.type == "snapshot":
            known = self._tickers[symbol] = _Ticker()
        if news.markPrice is not msgspec.UNSET:
            known.mark = positive("markPrice", news.markPrice)
        if news.indexPrice is not msgspec.UNSET:
            known.index = positive("indexPrice", news.indexPrice)
        if news.fundingIntervalHour is not msgspec.UNSET:
            known.hours = positive("fundingIntervalHour", news.fundingIntervalHour)
        if news.fundingRate is not msgspec.UNSET:
            known.rate = _finite("fundingRate", news.fundingRate)
        hourly = known.rate / known.hours
        if not math.isfinite(known.mark + known.index + hourly):
            return ()
        return (MarkUpdate(symbol, known.mark, known.index, hourly, received),)


_READERS = MappingProxyType[str, Callable[[MarketTopics, str, Envelope, datetime], Sequence[MarketEvent]]](
    {
        "orderbook": MarketTopics.book,
        "publicTrade": MarketTopics.trades,
        "kline": MarketTopics.bars,
        "tickers": MarketTopics.ticker,
    }
)


def _require(symbol: str, said: str) -> None:
    """Refuse news of another instrument than its topic names: it would pass for that one's price."""
    if said != symbol:
        raise InvalidValue("symbol", said, symbol)


def _finite(field: str, value: float) -> float:
    if not math.isfinite(value):
        raise InvalidValue(field, value, "a finite number")
    return value
