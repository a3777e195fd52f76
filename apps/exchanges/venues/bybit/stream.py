"""Bybit's websockets as domain events: one connection for the market, one per account.

Raw frames over picows: ccxt.pro turns every message into dictionaries of floats and back.
https://bybit-exchange.github.io/docs/v5/ws/connect
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from apps.exchanges.ports import (
    BalanceBatch,
    FillBatch,
    FundingBatch,
    FundingPayment,
    MarketHandler,
    MarketSubscription,
    OrderBatch,
    ParseError,
    PositionBatch,
    ReportSource,
    Unreadable,
    UserEvent,
    UserHandler,
)
from apps.exchanges.venues.addresses import Addresses
from apps.exchanges.venues.bybit import parse, parse_account
from apps.exchanges.venues.bybit.market_topics import MarketTopics, topics_of
from apps.exchanges.venues.bybit.messages import Envelope
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.message_stream import Handler, MessageDialect, MessageStream
from apps.exchanges.venues.rows import UNREADABLE, Rows, reading
from apps.exchanges.venues.websocket import Patience, ReconnectingWebsocket, SubscriptionRefused
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.fills import FillReport

logger = logging.getLogger(__name__)

# The venue cuts a connection that says nothing for twenty seconds or so.
PATIENCE = Patience(ping_every=15.0)
_PING = b'{"op":"ping"}'
_SIGN_IN, _SIGNED = "auth", "GET/realtime"
# How far our clock may be behind the venue's.
_SIGNATURE_SECONDS = 60
_ORDERS, _SILENCE_GUARD = "orders", "guard"
USER_TOPICS = ("order.linear", "execution.linear", "position.linear", "wallet")
# Counts this connection for the cancel on silence, where the account has one; see `venues/README.md`.
SILENCE_TOPIC = "dcp.future"

_ENVELOPES = msgspec.json.Decoder(Envelope)
_ROWS = msgspec.json.Decoder(list[Any])


class BybitDialect(MessageDialect):
    """What both kinds of socket have in common: one envelope, a ping, answers to what was said."""

    def ping(self) -> bytes:
        """Return the venue's own ping."""
        return _PING

    def events(self, message: bytes, received: datetime) -> Iterable[object]:
        """Return the events in one message. Raises ParseError and SubscriptionRefused."""
        try:
            envelope = _ENVELOPES.decode(message)
        except UNREADABLE as error:
            raise ParseError("message", str(error), message) from error
        if envelope.topic:
            return self.news(envelope, received)
        if envelope.success is not None or envelope.op:
            self.answered(envelope)
            return ()
        raise ParseError("message", "neither news nor an answer", message)

    @abstractmethod
    def news(self, envelope: Envelope, received: datetime) -> Iterable[object]:
        """Return the events in news of a topic."""

    @abstractmethod
    def answered(self, envelope: Envelope) -> None:
        """Take the answer to something we said; pongs among them."""


class MarketDialect(BybitDialect):
    """The market: one request per symbol, so that one the venue does not know costs itself only."""

    def __init__(self, wanted: Sequence[MarketSubscription], handler: Handler) -> None:
        """Subscribe to `wanted`."""
        super().__init__(handler)
        self._wanted = {str(number): topics for number, topics in enumerate(map(topics_of, wanted)) if topics}
        self._unanswered: set[str] = set(self._wanted)
        self._topics = self._fresh()

    @property
    def standing(self) -> bool:
        """Return whether every subscription was answered."""
        return not self._unanswered

    def opening(self) -> Sequence[bytes]:
        """Return one message per symbol; every book begins anew."""
        self._unanswered, self._topics = set(self._wanted), self._fresh()
        return [_say("subscribe", topics, number) for number, topics in self._wanted.items()]

    def news(self, envelope: Envelope, received: datetime) -> Iterable[object]:
        """Return the events in news of a topic, and ask for books that have been lost."""
        try:
            return self._topics.events(envelope, received)
        finally:
            if self._topics.lost:
                self._ask_anew(self._topics.take_lost())

    def _fresh(self) -> MarketTopics:
        return MarketTopics(topic for topics in self._wanted.values() for topic in topics)

    def _ask_anew(self, topics: Sequence[str]) -> None:
        for topic in topics:
            logger.warning("%s: a hole in its numbers; asked for anew", topic)
            self.say(_say("unsubscribe", [topic], f"-{topic}"), _say("subscribe", [topic], f"+{topic}"))

    def answered(self, envelope: Envelope) -> None:
        """Go on without what was refused: it never becomes fresh, so nobody trades on it, and the others do."""
        if envelope.success is False:
            self.odd(f"Bybit refused a subscription: {envelope.ret_msg}")
        self._unanswered.discard(envelope.req_id)


class UserDialect(BybitDialect):
    """One account: who we are, then everything about its linear contracts. No part of it can be done without."""

    def __init__(self, key: ApiKey, clock: Clock, handler: Handler) -> None:
        """Sign in with `key`."""
        super().__init__(handler)
        self._key, self._clock = key, clock
        self._standing = False

    @property
    def standing(self) -> bool:
        """Return whether everything is subscribed."""
        return self._standing

    def opening(self) -> Sequence[bytes]:
        """Return the message that says who we are; the rest follows its answer."""
        self._standing = False
        expires = milliseconds(self._clock.now()) + _SIGNATURE_SECONDS * 1000
        text = f"{_SIGNED}{expires}".encode()
        signature = hmac.new(self._key.secret.encode(), text, hashlib.sha256).hexdigest()
        return [_say(_SIGN_IN, [self._key.key, expires, signature], _SIGN_IN)]

    def news(self, envelope: Envelope, received: datetime) -> Iterable[UserEvent]:
        """Return the events in news of a topic."""
        topic, data = envelope.topic.partition(".")[0], bytes(envelope.data)
        if topic == "dcp":
            return
        reader = _READERS.get(topic)
        if reader is None:
            raise ParseError("message", "a topic nobody asked for", envelope.topic)
        with reading(topic, data):
            items = _ROWS.decode(data)
        yield from reader(items, received)

    def answered(self, envelope: Envelope) -> None:
        """Subscribe once signed in. Raises SubscriptionRefused: a part would pass for the whole."""
        if envelope.op == _SIGN_IN:
            if envelope.success is not True:
                raise SubscriptionRefused(envelope.ret_msg or "the key was not accepted")
            self.say(_say("subscribe", USER_TOPICS, _ORDERS), _say("subscribe", [SILENCE_TOPIC], _SILENCE_GUARD))
        elif envelope.req_id == _ORDERS:
            if envelope.success is not True:
                raise SubscriptionRefused(envelope.ret_msg)
            self._standing = True
        elif envelope.success is False:
            # Accounts without the venue's cancel on silence may not hear of it.
            logger.info("Bybit refused %s: %s", envelope.req_id or envelope.op, envelope.ret_msg)


def market_stream(
    where: Addresses,
    subscriptions: Sequence[MarketSubscription],
    handler: MarketHandler,
    clock: Clock,
    patience: Patience = PATIENCE,
) -> MessageStream:
    """Return the public stream of `subscriptions`."""
    dialect = MarketDialect(subscriptions, handler)
    url = f"{where.websocket_url}/public/linear"
    on_state: Handler = handler
    return MessageStream(dialect, ReconnectingWebsocket(url, dialect, on_state, clock, patience))


def user_stream(
    where: Addresses, key: ApiKey, handler: UserHandler, clock: Clock, patience: Patience = PATIENCE
) -> MessageStream:
    """Return the stream of the account of `key`."""
    dialect = UserDialect(key, clock, handler)
    url = f"{where.websocket_url}/private"
    return MessageStream(dialect, ReconnectingWebsocket(url, dialect, handler, clock, patience))


def _orders(items: list[Any], received: datetime) -> Iterator[UserEvent]:
    found = parse.order_reports(items, ReportSource.STREAM, received)
    if found.read:
        yield OrderBatch(found.read)
    yield from _left_out(found, received)


def _executions(items: list[Any], received: datetime) -> Iterator[UserEvent]:
    found = parse.executions(items, received)
    fills = tuple(item for item in found.read if isinstance(item, FillReport))
    payments = tuple(item for item in found.read if isinstance(item, FundingPayment))
    if fills:
        yield FillBatch(fills, snapshot=False)
    if payments:
        yield FundingBatch(payments, snapshot=False)
    yield from _left_out(found, received)


def _positions(items: list[Any], received: datetime) -> Iterator[UserEvent]:
    found = parse_account.position_news(items, received)
    if found.read:
        yield PositionBatch(found.read, snapshot=False)
    yield from _left_out(found, received)


def _wallets(items: list[Any], received: datetime) -> Iterator[UserEvent]:
    found = parse_account.balance_news(items, received)
    if found.read:
        yield BalanceBatch(found.read)
    yield from _left_out(found, received)


_READERS: dict[str, Callable[[list[Any], datetime], Iterator[UserEvent]]] = {
    "order": _orders,
    "execution": _executions,
    "position": _positions,
    "wallet": _wallets,
}


def _left_out(found: Rows[Any], received: datetime) -> tuple[Unreadable, ...]:
    """Return news of the rows that could not be read, if any."""
    reasons = tuple(map(str, found.unreadable))
    return (Unreadable(reasons, received),) if reasons else ()


def _say(op: str, args: Sequence[object], name: str) -> bytes:
    return msgspec.json.encode({"req_id": name, "op": op, "args": list(args)})
