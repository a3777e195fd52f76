"""Order books kept from Bybit's snapshots and differences. A hole in their numbers makes a book unknown.

It is asked for anew then. https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from apps.exchanges.market_data.book import DepthBook
from apps.exchanges.venues.bybit.messages import BookNews
from moondev.domain.clock import monotonic
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book

# A venue that numbers otherwise than it says must not be asked for the same book without end.
ASK_AGAIN_SECONDS = 1.0


class Standing(Enum):
    """What a message has made of a book."""

    NEWS = "it is known, and has changed"
    OLD = "the message says nothing new"
    LOST = "it is not known any more, or not yet again"


class FollowedBook:
    """One topic's book. What does not fit exactly after what came before makes it unknown."""

    def __init__(self, depth: int) -> None:
        """Start unknown; `depth` prices a side are told."""
        self._book, self._depth = DepthBook(), depth
        self._number: int | None = None
        self._asked = float("-inf")

    @property
    def known(self) -> bool:
        """Return whether the book is what the venue last told."""
        return self._number is not None

    def take(self, kind: str, news: BookNews) -> Standing:
        """Take one message. Raises InvalidValue for a bad number or another kind; the book is unknown then."""
        if kind == "snapshot":
            return self._take_snapshot(news)
        if kind != "delta":
            self._number = None
            raise InvalidValue("type", kind, "snapshot or delta")
        if self._number is None:
            return Standing.LOST
        if news.u <= self._number:
            return Standing.OLD
        if news.u != self._number + 1:
            self._number = None
            return Standing.LOST
        self._change(news)
        return Standing.NEWS

    def told(self, at: datetime, received: datetime) -> Book:
        """Return the best prices of each side. Raises InvalidValue when they are crossed; the book is unknown then."""
        try:
            return self._book.top(self._depth, at, received)
        except InvalidValue:
            self._number = None
            raise

    def forget(self) -> None:
        """Know the book no more: a message about it could not be read."""
        self._number = None

    def to_be_asked(self) -> bool:
        """Return whether the venue is to be asked for a book that is not known, now; count it as asked."""
        now = monotonic()
        if now - self._asked < ASK_AGAIN_SECONDS:
            return False
        self._asked = now
        return True

    def _take_snapshot(self, news: BookNews) -> Standing:
        self._number = None
        self._book.replace(news.b, news.a)
        self._number = news.u
        return Standing.NEWS

    def _change(self, news: BookNews) -> None:
        number, self._number = self._number, None
        self._book.update(news.b, news.a)
        self._number = None if number is None else number + 1
