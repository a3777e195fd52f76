"""Phemex's market over its socket: books, trades, bars and marks as domain events.

https://phemex-docs.github.io/#usds-m-perpetual-websocket-api
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    MarketEvent,
    MarketHandler,
    MarketSubscription,
    ParseError,
    Stream,
    VenueConfig,
)
from apps.exchanges.venues.message_stream import MessageDialect, MessageStream
from apps.exchanges.venues.phemex import parse_market
from apps.exchanges.venues.phemex.books import DEPTH, TrackedBooks
from apps.exchanges.venues.phemex.config import CONNECTIONS, PATIENCE, SUBSCRIPTIONS_PER_CONNECTION, endpoints
from apps.exchanges.venues.phemex.messages import BookMessage
from apps.exchanges.venues.phemex.stream_messages import KlineMessage, PackMessage, Reply, TradesMessage
from apps.exchanges.venues.phemex.together import StreamsTogether, Together
from apps.exchanges.venues.rows import reading
from apps.exchanges.venues.websocket import Patience, ReconnectingWebsocket
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book

logger = logging.getLogger(__name__)

PING = msgspec.json.encode({"id": 0, "method": "server.ping", "params": []})
# A connection takes twenty requests a second; books asked for anew leave room for everything else.
VERIFIED_PER_PING = 10
# Bars of the history that a subscription begins with: the one in progress and the one that may have ended unheard.
_BARS_OF_HISTORY = 2
_FIRST_ID = 1
_AGAIN_ID, _LEAVE_ID = 1_000_000, 1_000_001
_BOOK = "orderbook_p"


@dataclass(frozen=True, slots=True)
class Channel:
    """One subscription: what is sent to have it."""

    name: str
    parameters: tuple[object, ...] = ()

    def request(self, number: int, verb: str = "subscribe") -> bytes:
        """Return the request with this number."""
        return msgspec.json.encode({"id": number, "method": f"{self.name}.{verb}", "params": self.parameters})


def channels(wanted: Sequence[MarketSubscription]) -> list[Channel]:
    """Return the subscriptions that bring what is wanted. Raises InvalidValue for bars the venue does not have."""
    found = []
    for item in wanted:
        if item.book or item.best_quote:
            found.append(_book_channel(item.symbol))
        if item.trades:
            found.append(Channel("trade_p", (item.symbol,)))
        found += [Channel("kline_p", (item.symbol, parse_market.seconds_of(length))) for length in item.candles]
    if any(item.mark for item in wanted):
        # One message a second brings the marks of all symbols.
        found.append(Channel("perp_market24h_pack_p"))
    return list(dict.fromkeys(found))


class MarketDialect(MessageDialect):
    """Speaks for one connection: its share of the channels, and what to tell of each symbol."""

    def __init__(
        self, subscribed: Sequence[Channel], wanted: Sequence[MarketSubscription], handler: MarketHandler
    ) -> None:
        """Hand events of `wanted` to `handler`, as far as `subscribed` brings them."""
        super().__init__(handler)
        self._subscribed = subscribed
        self._wanted = {item.symbol: item for item in wanted}
        self._marked = frozenset(item.symbol for item in wanted if item.mark)
        self._books = TrackedBooks(str(one.parameters[0]) for one in subscribed if one.name == _BOOK)
        self._names: dict[str, parse_market.TradeNames] = {}
        self._unanswered: set[int] = set()
        self._verify = False
        # Whether the venue takes a second request for a channel that stands.
        self._repeatable = True
        self._book = msgspec.json.Decoder(BookMessage)
        self._trades = msgspec.json.Decoder(TradesMessage)
        self._klines = msgspec.json.Decoder(KlineMessage)
        self._pack = msgspec.json.Decoder(PackMessage)
        self._reply = msgspec.json.Decoder(Reply)

    def opening(self) -> Sequence[bytes]:
        """Return one request per subscription."""
        self._books.forget()
        numbered = list(enumerate(self._subscribed, _FIRST_ID))
        self._unanswered = {number for number, _ in numbered}
        return [channel.request(number) for number, channel in numbered]

    def ping(self) -> bytes:
        """Return the venue's own ping; its answer is the time to ask for some books anew."""
        self._verify = True
        return PING

    @property
    def standing(self) -> bool:
        """Return whether every subscription was answered."""
        return not self._unanswered

    def events(self, message: bytes, received: datetime) -> Iterator[MarketEvent]:
        """Yield the events in one message. Raises ParseError."""
        try:
            yield from self._events(message, received)
        finally:
            self._ask_anew()

    def _events(self, message: bytes, received: datetime) -> Iterator[MarketEvent]:
        """Tell messages apart by the field that only their kind has."""
        if b'"orderbook_p"' in message:
            with reading("book", message):
                yield from self._book_events(self._book.decode(message), received)
        elif b'"trades_p"' in message:
            with reading("trades", message):
                yield from self._trade_events(self._trades.decode(message), received)
        elif b'"kline_p"' in message:
            with reading("candle", message):
                yield from _bars(self._klines.decode(message), received)
        elif b'"perp_market24h_pack_p.update"' in message:
            with reading("marks", message):
                yield from parse_market.pack(self._pack.decode(message), self._marked, received)
        else:
            with reading("answer", message):
                reply = self._reply.decode(message)
            self._answered(reply, message)

    def _book_events(self, message: BookMessage, received: datetime) -> Iterable[MarketEvent]:
        book = self._books.take(message, received)
        if book is None:
            return
        wanted = self._wanted[message.symbol]
        if wanted.book:
            yield BookUpdate(message.symbol, book)
        if wanted.best_quote:
            yield _best_quote(message.symbol, book)

    def _trade_events(self, message: TradesMessage, received: datetime) -> Iterable[MarketEvent]:
        names = self._names.setdefault(message.symbol, parse_market.TradeNames())
        batch = parse_market.trades(message, names, received)
        if batch is not None:
            yield batch

    def _answered(self, reply: Reply, message: bytes) -> None:
        """Note that a subscription was answered. Without one symbol's data the others go on: it never becomes fresh."""
        if reply.error is not None:
            self._unanswered.discard(reply.id or 0)
            self._repeatable = self._repeatable and reply.id != _AGAIN_ID
            raise ParseError("answer", "a request was refused", message)
        if reply.id is None:
            raise ParseError("answer", "neither an answer nor a channel we know", message)
        self._unanswered.discard(reply.id)

    def _ask_anew(self) -> None:
        """Ask for books that are in doubt or whose turn it is. The answer to a subscription is the whole book."""
        doubted, verify = self._books.doubted(), self._verify
        if not doubted and not verify:
            return
        self._verify = False
        if self._repeatable:
            due = self._books.next_to_verify(VERIFIED_PER_PING) if verify else ()
            self._subscribe_again(dict.fromkeys([*doubted, *due]))
        elif doubted:
            # The venue leaves the books of a connection all at once only.
            self.say(Channel(_BOOK).request(_LEAVE_ID, "unsubscribe"))
            self._subscribe_again(self._books.forget())

    def _subscribe_again(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            self.say(_book_channel(symbol).request(_AGAIN_ID))


def market_stream(
    venue: VenueConfig,
    wanted: Sequence[MarketSubscription],
    handler: MarketHandler,
    tools: Tools,
    patience: Patience = PATIENCE,
) -> Stream:
    """Return the public stream of `wanted`, over as many connections as its subscriptions take.

    Raises Configuration for a bad address, InvalidValue for more subscriptions than all connections hold.
    """
    url, asked = endpoints(venue).websocket_url, channels(wanted)
    most = SUBSCRIPTIONS_PER_CONNECTION * CONNECTIONS
    if len(asked) > most:
        raise InvalidValue("subscriptions", len(asked), f"at most {most}: {CONNECTIONS} connections of the venue's")
    shares = [
        asked[start : start + SUBSCRIPTIONS_PER_CONNECTION]
        for start in range(0, len(asked), SUBSCRIPTIONS_PER_CONNECTION)
    ] or [[]]
    together = Together(len(shares), handler)
    streams = []
    for number, share in enumerate(shares):
        dialect = MarketDialect(share, wanted, handler)
        websocket = ReconnectingWebsocket(url, dialect, together.listener(number), tools.clock, patience)
        streams.append(MessageStream(dialect, websocket))
    return streams[0] if len(streams) == 1 else StreamsTogether(streams)


def _book_channel(symbol: str) -> Channel:
    # False: every change, instead of changes gathered over a tenth of a second.
    return Channel(_BOOK, (symbol, False, DEPTH))


def _bars(message: KlineMessage, received: datetime) -> Iterator[MarketEvent]:
    rows = message.kline_p if message.type == "incremental" else message.kline_p[:_BARS_OF_HISTORY]
    for row in reversed(rows):
        yield parse_market.candle(message, row, received)


def _best_quote(symbol: str, book: Book) -> BestQuoteUpdate:
    bid, ask = (next(iter(side), None) for side in (book.bids, book.asks))
    return BestQuoteUpdate(symbol, bid, ask, book.time_exchange, book.time_received)
