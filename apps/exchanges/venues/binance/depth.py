"""One order book, kept from the venue's differences and a snapshot to start from.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/
How-to-manage-a-local-order-book-correctly
"""

from __future__ import annotations

from datetime import datetime

from apps.exchanges.market_data.book import DepthBook
from apps.exchanges.venues.binance.messages import DepthAnswer
from apps.exchanges.venues.binance.parse_market import levels
from apps.exchanges.venues.binance.stream_messages import DepthEvent
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book

# How many prices a side a snapshot has, and how many of them we tell.
SNAPSHOT_LEVELS = 500
TOLD_LEVELS = 20
# Differences that wait for a snapshot; at ten a second, a minute and more.
MOST_WAITING = 1_000
_WORST = {"bids": 0.0, "asks": float("inf")}


class FollowedBook:
    """The book of one symbol. It is known from a snapshot on, for as long as every difference joins the one before."""

    def __init__(self) -> None:
        """Start without knowing anything."""
        self._book = DepthBook()
        self._waiting: list[DepthEvent] = []
        self._last: int | None = None
        self._fresh = False
        self._floor, self._ceiling = _WORST["bids"], _WORST["asks"]

    @property
    def known(self) -> bool:
        """Return whether the book is known now. While it is not, somebody must bring a snapshot."""
        return self._last is not None

    def forget(self) -> None:
        """Know nothing any more."""
        self._last = None
        self._waiting.clear()

    def change(self, event: DepthEvent, received: datetime) -> Book | None:
        """Take a difference; return the book after it, None while it is not known or when nothing is new.

        Raises InvalidValue for a number that is none; the book is then unknown.
        """
        if self._last is None:
            self._wait(event)
            return None
        if event.last < self._last or (event.last == self._last and not self._fresh):
            # In the book already: older than the snapshot, or said twice.
            return None
        spans = self._fresh and event.first <= self._last
        if not spans and event.previous != self._last:
            self._last = None
            self._wait(event)
            return None
        return self._apply(event, received)

    def start(self, answer: DepthAnswer, received: datetime) -> Book | None:
        """Take a snapshot, and the differences since; return the book, None when the two do not meet.

        Raises InvalidValue for a number that is none; the book is then unknown.
        """
        waiting, self._waiting = sorted(self._waiting, key=lambda event: event.last), []
        bids, asks = levels(answer.bids), levels(answer.asks)
        self._book.replace(bids, asks)
        # Of what lies beyond a full snapshot we know the changes only.
        self._floor = min(price for price, _ in bids) if len(bids) >= SNAPSHOT_LEVELS else _WORST["bids"]
        self._ceiling = max(price for price, _ in asks) if len(asks) >= SNAPSHOT_LEVELS else _WORST["asks"]
        self._last, self._fresh = answer.lastUpdateId, True
        book: Book | None = self._top(answer.T, received)
        for event in waiting:
            book = self.change(event, received) or book
        return book if self.known else None

    def _apply(self, event: DepthEvent, received: datetime) -> Book | None:
        last, self._last = event.last, None
        self._book.update(levels(event.bids), levels(event.asks))
        book = self._top(event.time, received)
        if book is not None:
            self._last, self._fresh = last, False
        return book

    def _top(self, time_ms: int, received: datetime) -> Book | None:
        """Return the best prices; None, and the book is unknown, when they reach beyond what the snapshot told."""
        book = self._book.top(TOLD_LEVELS, from_milliseconds(time_ms), received)
        if (book.bids and book.bids[-1].price < self._floor) or (book.asks and book.asks[-1].price > self._ceiling):
            self._last = None
            return None
        return book

    def _wait(self, event: DepthEvent) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise InvalidValue("differences", len(self._waiting), f"a snapshot before there are {MOST_WAITING}")
        self._waiting.append(event)
