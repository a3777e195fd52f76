"""The half of a stream that is the same at every venue that speaks JSON: read, count what cannot be read, hand on."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from apps.exchanges.ports import ParseError, Unreadable
from apps.exchanges.venues.websocket import ReconnectingWebsocket

logger = logging.getLogger(__name__)

Handler = Callable[[Any], None]
# After so many odd messages in a row of logs nobody learns more from another line.
LOGGED_IN_FULL = 20


class MessageDialect(ABC):
    """Hands events on, and survives every message: an odd one is counted, logged, and gives no event."""

    def __init__(self, handler: Handler) -> None:
        """Hand events to `handler`."""
        self.unreadable = 0
        self._handler = handler
        self._replies: list[bytes] = []

    @abstractmethod
    def opening(self) -> Sequence[bytes]:
        """Begin a new connection; return the messages to send first on it."""

    @abstractmethod
    def ping(self) -> bytes:
        """Return the message that makes the venue answer."""

    @abstractmethod
    def events(self, message: bytes, received: datetime) -> Iterable[object]:
        """Return the events in one message. Raises ParseError, or SubscriptionRefused when asking is in vain."""

    @property
    @abstractmethod
    def standing(self) -> bool:
        """Return whether every subscription is known to stand."""

    def read(self, message: bytes, received: datetime) -> bool:
        """Hand on the events in `message` and return whether every subscription stands."""
        try:
            for event in self.events(message, received):
                if isinstance(event, Unreadable):
                    self.odd(*event.reasons)
                self._handler(event)
        except ParseError as error:
            self.odd(str(error))
        return self.standing

    def say(self, *messages: bytes) -> None:
        """Send `messages` as soon as the message that is being read is dealt with."""
        self._replies.extend(messages)

    def replies(self) -> Sequence[bytes]:
        """Return, once, what is to be sent because of the message just read."""
        if not self._replies:
            return ()
        replies, self._replies = self._replies, []
        return replies

    def odd(self, *reasons: str) -> None:
        """Count and log what could not be read."""
        for reason in reasons:
            self.unreadable += 1
            if self.unreadable <= LOGGED_IN_FULL:
                logger.error("%s", reason)


class Counting(Protocol):
    """A dialect, as its stream needs it."""

    @property
    def unreadable(self) -> int:
        """Return how many messages could not be read."""


class MessageStream:
    """A `Stream`: what is said, and how it travels."""

    def __init__(self, dialect: Counting, websocket: ReconnectingWebsocket) -> None:
        """Join the two."""
        self._dialect, self._websocket = dialect, websocket

    @property
    def connected(self) -> bool:
        """Return whether the stream is up and subscribed."""
        return self._websocket.connected

    @property
    def age_seconds(self) -> float:
        """Return real seconds since the last message; infinite before the first."""
        return self._websocket.age_seconds

    @property
    def unreadable(self) -> int:
        """Return how many messages could not be read since the start."""
        return self._dialect.unreadable

    async def run(self) -> None:
        """Stream until cancelled or stopped. Raises what the handler raised."""
        await self._websocket.run()

    def stop(self) -> None:
        """Ask `run` to close the connection and return."""
        self._websocket.stop()
