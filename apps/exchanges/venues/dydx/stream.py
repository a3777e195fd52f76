"""dYdX's public stream as domain events: books, trades, candles, and the oracle prices that everything is valued at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from apps.exchanges.adapters import Tools
from apps.exchanges.market_data.book import DepthBook, Level
from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    MarketHandler,
    MarketSubscription,
    MarkUpdate,
    VenueConfig,
)
from apps.exchanges.venues.dydx import parse, parse_market
from apps.exchanges.venues.dydx.config import endpoints
from apps.exchanges.venues.dydx.dialect import BLOCKS, IndexerDialect, Topic, ask
from apps.exchanges.venues.dydx.messages import (
    BookDifference,
    BookMessage,
    CandleMessage,
    MarketMessage,
    MarketsDifference,
    MarketsMessage,
)
from apps.exchanges.venues.dydx.parse import decoded, number
from apps.exchanges.venues.message_stream import Handler, MessageStream
from apps.exchanges.venues.rows import reading
from apps.exchanges.venues.websocket import Patience, ReconnectingWebsocket
from moondev.domain.clock import monotonic
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book

BOOK, TRADES, CANDLES, MARKETS = "v4_orderbook", "v4_trades", "v4_candles", "v4_markets"
DEPTH = 20
# Books that are being asked for anew are not asked for again at once: the venue takes two subscriptions a second. The
# answers may be lost as well, so it is not forgotten either; blocks come every second and bring the next occasion.
ASK_AGAIN_SECONDS = 1.0


class MarketDialect(IndexerDialect):
    """Keeps books by snapshot and differences, and marks by what changed of them."""

    def __init__(self, subscriptions: Sequence[MarketSubscription], handler: MarketHandler) -> None:
        """Want what `subscriptions` say. Raises InvalidValue for an interval the venue has no candles of."""
        self._wanted = {wanted.symbol: wanted for wanted in subscriptions}
        super().__init__(_topics(subscriptions), handler)
        self.begin()

    def begin(self) -> None:
        """Forget every book and price."""
        self._books: dict[str, DepthBook] = {}
        self._quotes: dict[str, tuple[Level | None, Level | None]] = {}
        self._marks: dict[str, tuple[float, float]] = {}
        self._doubted, self._asked_at = False, float("-inf")

    def events(self, message: bytes, received: datetime) -> Iterable[object]:
        """Return the events in one message, and ask for the books that are in doubt. Raises ParseError."""
        found = super().events(message, received)
        if self._doubted and monotonic() - self._asked_at >= ASK_AGAIN_SECONDS:
            self._ask_anew()
        return found

    def first(self, topic: Topic, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        """Return the events in what a topic begins with; trades and candles of the past are not told again."""
        channel, name = topic
        if channel == BOOK:
            message = decoded("book", contents, BookMessage)
            with reading("book", parse.shown(contents)):
                depth = self._books[name] = DepthBook()
                depth.replace(parse_market.levels(message.bids), parse_market.levels(message.asks))
                depth.uncross(newest_is_bid=True)
                return self._book_events(name, depth, received)
        if channel == MARKETS:
            return self._first_marks(contents, received)
        return ()

    def news(self, topic: Topic, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        """Return the events in what a topic goes on with."""
        channel, name = topic
        if channel == BOOK:
            return self._book_news(name, contents, received)
        if channel == TRADES:
            batch = parse_market.trade_batch(name, contents, received)
            return () if batch is None else (batch,)
        if channel == CANDLES:
            message = decoded("candle", contents, CandleMessage)
            with reading("candle", parse.shown(contents)):
                return (parse_market.candle(message, received),)
        return self._mark_news(contents, received) if channel == MARKETS else ()

    def lost(self, received: datetime) -> Iterable[object]:
        """Doubt every book: which of them the lost message was about nobody knows, and a stale one misleads."""
        del received
        self._doubted = True
        self._books.clear()
        # Asked for anew: what comes late of it is no news.
        self.numbering.missing.clear()
        return ()

    def _ask_anew(self) -> None:
        self._doubted, self._asked_at = False, monotonic()
        for topic in self._topics:
            if topic[0] == BOOK:
                self.say(ask("unsubscribe", topic), ask("subscribe", topic))

    def refused(self, reason: str, topic: Topic | None) -> None:
        """Go on without: what never becomes fresh is not traded on, and the other symbols are."""
        self.odd(f"dYdX refused {topic or 'a subscription'}: {reason}")

    def _book_news(self, name: str, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        depth = self._books.get(name)
        if depth is None:
            # A difference to a book we no longer have: the next snapshot contains it.
            return ()
        try:
            message = decoded("book difference", contents, BookDifference)
            with reading("book difference", parse.shown(contents)):
                depth.update(parse_market.pairs(message.bids), parse_market.pairs(message.asks))
                # wire: differences come from several places, so an old price can outlive the one that took it.
                depth.uncross(newest_is_bid=bool(message.bids))
                return self._book_events(name, depth, received)
        except BaseException:
            # Half a difference is no book: forget it and ask anew.
            self._books.pop(name, None)
            self.say(ask("unsubscribe", (BOOK, name)), ask("subscribe", (BOOK, name)))
            raise

    def _book_events(self, name: str, depth: DepthBook, received: datetime) -> Iterable[object]:
        wanted = self._wanted[name]
        # The venue does not say when a book was so: the time is ours.
        book = depth.top(DEPTH, received, received)
        events: list[object] = [BookUpdate(name, book)] if wanted.book else []
        if wanted.best_quote and self._moved(name, book):
            bid, ask_ = next(iter(book.bids), None), next(iter(book.asks), None)
            events.append(BestQuoteUpdate(name, bid, ask_, received, received))
        return events

    def _moved(self, name: str, book: Book) -> bool:
        """Return whether the best prices or their sizes are others than the last ones told."""
        now = tuple((side[0].price, side[0].size) if side else None for side in (book.bids, book.asks))
        known, self._quotes[name] = self._quotes.get(name), (now[0], now[1])
        return known != now

    def _first_marks(self, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        message = decoded("markets", contents, MarketsMessage)
        for symbol in self._followed:
            with reading("market", message.markets.get(symbol)):
                if symbol not in message.markets:
                    raise InvalidValue("market", symbol, "one that the venue lists")
                price, rate = parse_market.price_and_rate(msgspec.convert(message.markets[symbol], MarketMessage))
            if price is not None:
                self._marks[symbol] = (price, rate)
        return [self._mark(symbol, received) for symbol in self._followed if symbol in self._marks]

    def _mark_news(self, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        message = decoded("markets", contents, MarketsDifference)
        changed: dict[str, None] = {}
        with reading("markets", parse.shown(contents)):
            for symbol in self._followed:
                oracle, trading = message.oraclePrices.get(symbol), message.trading.get(symbol)
                price, rate = self._marks.get(symbol, (0.0, 0.0))
                if oracle is not None:
                    price = parse_market.oracle_price(oracle.oraclePrice)
                if trading is not None and trading.nextFundingRate is not None:
                    rate = float(number("nextFundingRate", trading.nextFundingRate))
                if price and self._marks.get(symbol) != (price, rate):
                    self._marks[symbol] = (price, rate)
                    changed[symbol] = None
        return [self._mark(symbol, received) for symbol in changed]

    def _mark(self, symbol: str, received: datetime) -> MarkUpdate:
        price, rate = self._marks[symbol]
        # The chain has one price for both: positions are valued at the oracle's.
        return MarkUpdate(symbol, price, price, rate, received)

    @property
    def _followed(self) -> list[str]:
        return [symbol for symbol, wanted in self._wanted.items() if wanted.mark]


def market_stream(
    venue: VenueConfig,
    subscriptions: Sequence[MarketSubscription],
    handler: MarketHandler,
    tools: Tools,
    patience: Patience | None = None,
) -> MessageStream:
    """Return the public stream of `subscriptions`. Raises Configuration for a bad address."""
    dialect = MarketDialect(subscriptions, handler)
    # This dialect never gives a connection up, so the handler is never told of a refusal.
    on_state: Handler = handler
    websocket = ReconnectingWebsocket(endpoints(venue).websocket_url, dialect, on_state, tools.clock, patience)
    return MessageStream(dialect, websocket)


def _topics(subscriptions: Sequence[MarketSubscription]) -> list[Topic]:
    # Blocks come every second, so that a lost message is noticed within one and a quiet market is no silence.
    topics: dict[Topic, None] = {(BLOCKS, ""): None}
    for wanted in subscriptions:
        if wanted.book or wanted.best_quote:
            topics[BOOK, wanted.symbol] = None
        if wanted.trades:
            topics[TRADES, wanted.symbol] = None
        if wanted.mark:
            topics[MARKETS, ""] = None
        for interval in wanted.candles:
            topics[CANDLES, f"{wanted.symbol}/{parse_market.resolution(interval)}"] = None
    return list(topics)
