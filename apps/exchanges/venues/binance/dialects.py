"""What is said to Binance's stream sockets, and how their messages become events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from apps.exchanges.ports import MarketEvent, ParseError, UserEvent
from apps.exchanges.venues.binance.stream_messages import Told
from apps.exchanges.venues.message_stream import Handler, MessageDialect
from apps.exchanges.venues.rows import reading
from apps.exchanges.venues.websocket import SubscriptionRefused

Reader = Callable[[Any, datetime], Iterable[MarketEvent | UserEvent]]

# The venue takes ten messages a second from a connection; so many streams in one is our choice.
STREAMS_PER_MESSAGE = 200
PING_ID = 0
# Answered like any request, unlike a frame of the protocol: so the stream's age tells a line that stands still.
PING = msgspec.json.encode({"method": "LIST_SUBSCRIPTIONS", "id": PING_ID})
_EVENT_FIRST = b'{"e":"'


class StreamDialect(MessageDialect):
    """Subscribes, tells messages apart by their event, and hands events on.

    `readers` give for each event the shape of its message and what makes events of it; `silent` are those of which
    nothing is told.
    """

    def __init__(
        self,
        streams: Sequence[str],
        readers: Mapping[str, tuple[Any, Reader]],
        handler: Handler,
        silent: frozenset[str] = frozenset(),
    ) -> None:
        """Ask for `streams`, or for nothing where the address says it all."""
        super().__init__(handler)
        self._streams, self._silent = streams, silent
        self._readers = {event: (msgspec.json.Decoder(shape), reader) for event, (shape, reader) in readers.items()}
        self._told = msgspec.json.Decoder(Told)
        self._unanswered: set[int] = set()

    def opening(self) -> Sequence[bytes]:
        """Return the subscriptions, and one question whose answer shows that the line is up."""
        asked = [
            {"method": "SUBSCRIBE", "params": self._streams[start : start + STREAMS_PER_MESSAGE], "id": number}
            for number, start in enumerate(range(0, len(self._streams), STREAMS_PER_MESSAGE), 1)
        ]
        self._unanswered = {PING_ID, *range(1, len(asked) + 1)}
        return [*map(msgspec.json.encode, asked), PING]

    def ping(self) -> bytes:
        """Return a question that the venue answers."""
        return PING

    @property
    def standing(self) -> bool:
        """Return whether every subscription was answered."""
        return not self._unanswered

    def stood(self) -> None:
        """Take note that every subscription was answered just now: from here on nothing is missed."""

    def events(self, message: bytes, received: datetime) -> Iterable[object]:
        """Return the events in one message."""
        event = self._event_of(message)
        if event is None or event in self._silent:
            return ()
        known = self._readers.get(event)
        if known is None:
            raise ParseError("message", "an event nobody asked for", message)
        decoder, reader = known
        with reading(event, message):
            return reader(decoder.decode(message), received)

    def _event_of(self, message: bytes) -> str | None:
        """Return the name of a message's event; None for an answer, which is dealt with."""
        if message.startswith(_EVENT_FIRST):
            return message[len(_EVENT_FIRST) : message.find(b'"', len(_EVENT_FIRST))].decode(errors="replace")
        with reading("message", message):
            told = self._told.decode(message)
        if told.event is not None:
            return told.event
        if told.error is not None:
            raise SubscriptionRefused(f"{told.error.code}: {told.error.msg}")
        if told.id is None:
            raise ParseError("message", "neither an event nor an answer", message)
        if told.id in self._unanswered:
            self._unanswered.discard(told.id)
            if self.standing:
                self.stood()
        return None
