"""Hyperliquid's websocket as domain events: one connection for the market, one per account.

The SDK's own socket manager is not used: it never reconnects, notices no silence and runs one
thread per connection. https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from apps.exchanges.ports import (
    FillBatch,
    FundingBatch,
    MarketEvent,
    MarketHandler,
    MarketSubscription,
    OrderBatch,
    ParseError,
    ReportSource,
    Unreadable,
    UserEvent,
    UserHandler,
    VenueConfig,
)
from apps.exchanges.venues.hyperliquid import parse, parse_market
from apps.exchanges.venues.hyperliquid.account_news import AccountNews
from apps.exchanges.venues.hyperliquid.client import account_address
from apps.exchanges.venues.hyperliquid.config import endpoints
from apps.exchanges.venues.hyperliquid.messages import (
    AccountStateMessage,
    AssetContextMessage,
    BestQuoteMessage,
    BookMessage,
    CandleMessage,
    Envelope,
    TradeMessage,
    UserFillsMessage,
    UserFundingsMessage,
)
from apps.exchanges.venues.hyperliquid.quick import UNREAD, Event, QuickReader, Reader
from apps.exchanges.venues.message_stream import LOGGED_IN_FULL, MessageStream
from apps.exchanges.venues.rows import Rows, reading
from apps.exchanges.venues.websocket import Patience, ReconnectingWebsocket, SubscriptionRefused
from moondev.domain.clock import Clock
from moondev.domain.orders import OrderReport, OrderStatus

logger = logging.getLogger(__name__)

Subscription = dict[str, str]


PING = msgspec.json.encode({"method": "ping"})
REPLACED_ORDERS_REMEMBERED = 10_000
# The venue greets with a line that is not JSON.
_GREETING = b"Websocket connection established."
_ANSWERED = frozenset({"subscriptionResponse", "error"})


class HyperliquidDialect:
    """Subscribes, tells messages apart by channel, and hands events on."""

    strict = True

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        readers: dict[str, tuple[Any, Reader]],
        handler: Callable[[Any], None],
    ) -> None:
        """Take `readers`: for each channel the shape of its data and what makes an event of it."""
        self._subscriptions = subscriptions
        self._readers = {
            channel: (msgspec.json.Decoder(shape, strict=self.strict), reader)
            for channel, (shape, reader) in readers.items()
        }
        self._quick = QuickReader(readers, strict=self.strict)
        self._handler = handler
        self._envelopes = msgspec.json.Decoder(Envelope)
        self._unanswered = len(subscriptions)
        self.unreadable = 0

    def opening(self) -> Sequence[bytes]:
        """Return one message per subscription."""
        self._unanswered = len(self._subscriptions)
        return [msgspec.json.encode({"method": "subscribe", "subscription": item}) for item in self._subscriptions]

    def ping(self) -> bytes:
        """Return the venue's own ping."""
        return PING

    def read(self, message: bytes, received: datetime) -> bool:
        """Hand on the event in `message` and return whether every subscription was answered."""
        if message != _GREETING:
            try:
                self._read(message, received)
            except ParseError as error:
                self._odd(str(error))
        return self._unanswered <= 0

    def replies(self) -> Sequence[bytes]:
        """Return nothing: this venue is never answered."""
        return ()

    def _read(self, message: bytes, received: datetime) -> None:
        found = self._quick.read(message, received)
        self._hand_on(self._slowly(message, received) if found is UNREAD else found)

    def _slowly(self, message: bytes, received: datetime) -> Event | tuple[Event, ...] | None:
        """Read what is no plain news: answers, pongs, and whatever is wrong, with the words for it."""
        with reading("message", message):
            envelope = self._envelopes.decode(message)
        if envelope.channel == "pong":
            return None
        if envelope.channel in _ANSWERED:
            self._answered(envelope)
            return None
        known = self._readers.get(envelope.channel)
        if known is None:
            raise ParseError("message", "a channel nobody asked for", message)
        decoder, reader = known
        with reading(envelope.channel, message):
            return reader(decoder.decode(envelope.data), received)

    def _hand_on(self, found: Event | tuple[Event, ...] | None) -> None:
        for event in found if isinstance(found, tuple) else (found,):
            if isinstance(event, Unreadable):
                self._left_out(event)
            if event is not None:
                self._handler(event)

    def _left_out(self, event: Unreadable) -> None:
        for reason in event.reasons:
            self._odd(reason)

    def _odd(self, reason: str) -> None:
        """Count what could not be read, and log the first of it: a flood of nonsense must not flood the log too."""
        self.unreadable += 1
        if self.unreadable <= LOGGED_IN_FULL:
            logger.error("%s", reason)

    def _answered(self, envelope: Envelope) -> None:
        if envelope.channel == "error":
            self._refused(bytes(envelope.data).decode())
        self._unanswered -= 1

    def _refused(self, reason: str) -> None:
        """Go on without one symbol's data: it never becomes fresh, so nobody trades on it, and the others do."""
        self._odd(f"Hyperliquid refused a subscription: {reason}")


class MarketDialect(HyperliquidDialect):
    """The dialect of public data, whose numbers are read as float64 from the venue's texts."""

    strict = False


class UserDialect(HyperliquidDialect):
    """The dialect of one account's stream, of which no part can be done without."""

    def _refused(self, reason: str) -> None:
        """Give the connection up: with orders or fills missing it would pass for one that hears everything."""
        raise SubscriptionRefused(reason)


class ReplacedOrders:
    """Forgets the end of orders that live on under another venue id.

    An amend replaces the order: the stream says open for the new id and cancelled for the old one,
    both with the same client order id, and whoever goes by that id would bury a live order. Venue
    ids only grow, so a cancel of a smaller id than the newest heard is the end of the old one.
    """

    def __init__(self, capacity: int = REPLACED_ORDERS_REMEMBERED) -> None:
        """Remember the newest venue id of the last `capacity` client order ids."""
        self._newest: OrderedDict[UUID, int] = OrderedDict()
        self._capacity = capacity

    def without(self, reports: Sequence[OrderReport]) -> tuple[OrderReport, ...]:
        """Return `reports` without the ends of replaced orders, whichever order they came in."""
        for report in reports:
            self._notice(report)
        return tuple(report for report in reports if not self._replaced(report))

    def _notice(self, report: OrderReport) -> None:
        if report.client_order_id is None or report.venue_order_id is None:
            return
        newest = max(int(report.venue_order_id), self._newest.pop(report.client_order_id, 0))
        self._newest[report.client_order_id] = newest
        if len(self._newest) > self._capacity:
            self._newest.popitem(last=False)

    def _replaced(self, report: OrderReport) -> bool:
        if report.status is not OrderStatus.CANCELLED or report.client_order_id is None:
            return False
        return int(report.venue_order_id or 0) < self._newest.get(report.client_order_id, 0)


def market_stream(
    venue: VenueConfig,
    subscriptions: Sequence[MarketSubscription],
    handler: MarketHandler,
    clock: Clock,
    patience: Patience | None = None,
) -> MessageStream:
    """Return the public stream of `subscriptions`. Raises Configuration for a bad address."""
    readers: dict[str, tuple[Any, Reader]] = {
        "l2Book": (BookMessage, parse_market.book_update),
        "bbo": (BestQuoteMessage, parse_market.best_quote),
        "trades": (list[TradeMessage], _trades),
        "candle": (CandleMessage, parse_market.candle),
        "activeAssetCtx": (AssetContextMessage, parse_market.mark),
    }
    wanted = [item for subscription in subscriptions for item in _market_subscriptions(subscription)]
    return _stream(venue, MarketDialect(wanted, readers, handler), handler, clock, patience)


def user_stream(
    venue: VenueConfig,
    account: str,
    handler: UserHandler,
    clock: Clock,
    patience: Patience | None = None,
) -> MessageStream:
    """Return the stream of one account's orders, fills, funding, positions and cash; it needs no key.

    A connection carries one account, because order updates do not say whose they are.
    """
    address = account_address(account)
    replaced = ReplacedOrders()

    def orders(items: list[object], received: datetime) -> tuple[UserEvent, ...]:
        found = parse.order_updates(items, ReportSource.STREAM, received)
        reports = replaced.without(found.read)
        return (*((OrderBatch(reports),) if reports else ()), *_left_out(found, received))

    def fills(message: UserFillsMessage, received: datetime) -> tuple[UserEvent, ...]:
        found = parse.fills(message.fills, address, received)
        return FillBatch(found.read, message.isSnapshot), *_left_out(found, received)

    readers: dict[str, tuple[Any, Reader]] = {
        "orderUpdates": (list[Any], orders),
        "userFills": (UserFillsMessage, fills),
        "userFundings": (UserFundingsMessage, _fundings),
        "clearinghouseState": (AccountStateMessage, AccountNews().events),
    }
    wanted = [{"type": channel, "user": address} for channel in readers]
    return _stream(venue, UserDialect(wanted, readers, handler), handler, clock, patience)


def _stream(
    venue: VenueConfig,
    dialect: HyperliquidDialect,
    handler: Callable[[Any], None],
    clock: Clock,
    patience: Patience | None,
) -> MessageStream:
    url = endpoints(venue).websocket_url
    return MessageStream(dialect, ReconnectingWebsocket(url, dialect, handler, clock, patience))


def _market_subscriptions(wanted: MarketSubscription) -> list[Subscription]:
    coin = wanted.symbol
    channels = {
        "l2Book": wanted.book,
        "bbo": wanted.best_quote,
        "trades": wanted.trades,
        "activeAssetCtx": wanted.mark,
    }
    plain = [{"type": channel, "coin": coin} for channel, asked in channels.items() if asked]
    bars = [
        {"type": "candle", "coin": coin, "interval": parse_market.interval_name(interval)}
        for interval in wanted.candles
    ]
    return plain + bars


def _trades(messages: list[TradeMessage], received: datetime) -> MarketEvent | None:
    return parse_market.trades(messages, received) if messages else None


def _fundings(message: UserFundingsMessage, received: datetime) -> tuple[UserEvent, ...]:
    found = parse.streamed_funding(message.fundings, received)
    return FundingBatch(found.read, message.isSnapshot), *_left_out(found, received)


def _left_out(found: Rows[Any], received: datetime) -> tuple[Unreadable, ...]:
    """Return news of the rows that could not be read, if any."""
    reasons = tuple(map(str, found.unreadable))
    return (Unreadable(reasons, received),) if reasons else ()
