"""What both of dYdX's streams have in common: subscribing by channel and id, and messages numbered without a hole.

ccxt.pro has only trades, books and candles, and nothing of an account (wire.md 1.4), so the socket is spoken to
directly. https://docs.dydx.xyz/indexer-client/websockets
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.dydx.messages import Envelope
from apps.exchanges.venues.message_stream import Handler, MessageDialect
from apps.exchanges.venues.rows import reading
from moondev.domain.errors import InvalidValue

MOST_MISSING = 10_000
BLOCKS = "v4_block_height"
_ENVELOPE = msgspec.json.Decoder(Envelope)
_PING = msgspec.json.encode({"type": "ping", "id": 1})
_NEWS = frozenset({"channel_data", "channel_batch_data"})
_SILENT = frozenset({"connected", "pong", "unsubscribed"})

Topic = tuple[str, str]


def ask(kind: str, topic: Topic) -> bytes:
    """Return the message that subscribes or unsubscribes. Some channels are one topic and take no id."""
    channel, name = topic
    return msgspec.json.encode({"type": kind, "channel": channel, **({"id": name} if name else {})})


class Numbering:
    """Notices messages that were lost, came twice or overtook each other, by their numbers."""

    def __init__(self) -> None:
        """Begin with a new connection."""
        self.missing: set[int] = set()
        self._next = 0

    def take(self, number: int) -> bool:
        """Take a message's number; return whether the message is to be read: each is, once.

        Raises InvalidValue for a number so far ahead that the message is nonsense: so many are never lost on a
        connection that stands, and remembering them would fill the memory.
        """
        if number in self.missing:
            self.missing.discard(number)
            return True
        if number < self._next:
            return False
        if number - self._next > MOST_MISSING:
            raise InvalidValue("message_id", number, f"at most {MOST_MISSING} above {self._next}")
        self.missing.update(range(self._next, number))
        self._next = number + 1
        return True


class IndexerDialect(MessageDialect):
    """Subscribes to topics and hands on what they tell."""

    def __init__(self, topics: Sequence[Topic], handler: Handler) -> None:
        """Want `topics`, each a channel and an id."""
        super().__init__(handler)
        self._topics = tuple(topics)
        self._standing: set[Topic] = set()
        self.numbering = Numbering()

    def opening(self) -> Sequence[bytes]:
        """Begin a new connection; return one message per topic."""
        self._standing.clear()
        self.numbering = Numbering()
        self.begin()
        return [ask("subscribe", topic) for topic in self._topics]

    def ping(self) -> bytes:
        """Return the venue's own ping."""
        return _PING

    @property
    def standing(self) -> bool:
        """Return whether every topic was answered."""
        return len(self._standing) == len(self._topics)

    def events(self, message: bytes, received: datetime) -> Iterable[object]:
        """Return the events in one message. Raises ParseError."""
        with reading("message", message):
            envelope = _ENVELOPE.decode(message)
            fresh = self.numbering.take(envelope.message_id)
        found = [*self.lost(received)] if self.numbering.missing else []
        if not fresh or envelope.type in _SILENT:
            return found
        return [*found, *self._told(envelope, message, received)]

    def _told(self, envelope: Envelope, message: bytes, received: datetime) -> Iterable[object]:
        topic = self._topic(envelope)
        if envelope.type == "error":
            self.refused(envelope.message, topic)
            if topic is not None:
                self._standing.add(topic)
            return ()
        if topic is None:
            raise ParseError("message", "a topic nobody asked for", message)
        if envelope.type == "subscribed":
            self._standing.add(topic)
            return self.first(topic, envelope.contents, received)
        if envelope.type not in _NEWS:
            raise ParseError("message", f"a type nobody documented: {envelope.type}", message)
        if envelope.type == "channel_data":
            return self.news(topic, envelope.contents, received)
        with reading("batch", message):
            batch = msgspec.json.decode(envelope.contents, type=list[msgspec.Raw])
        return [event for contents in batch for event in self.news(topic, contents, received)]

    def _topic(self, envelope: Envelope) -> Topic | None:
        """Return which of our topics a message is of; the channels of the whole exchange may name themselves as id."""
        for name in (str(envelope.id), ""):
            if (envelope.channel, name) in self._topics:
                return envelope.channel, name
        return None

    @abstractmethod
    def begin(self) -> None:
        """Forget what the last connection told."""

    @abstractmethod
    def first(self, topic: Topic, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        """Return the events in what a topic begins with. Raises ParseError."""

    @abstractmethod
    def news(self, topic: Topic, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        """Return the events in what a topic goes on with. Raises ParseError."""

    @abstractmethod
    def lost(self, received: datetime) -> Iterable[object]:
        """Deal with messages that have not come (`numbering.missing`). May raise SubscriptionRefused."""

    @abstractmethod
    def refused(self, reason: str, topic: Topic | None) -> None:
        """Deal with the venue's refusal of a topic, None when it does not say of which. May raise."""
