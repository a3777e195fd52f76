"""Order books of one connection: differences applied, doubts seen, and which books to ask for anew.

The venue numbers its messages, but not without holes: the number counts what happens elsewhere too, so a message that
was lost cannot be told from the numbers. What can be told is a message out of its order, and a book that crosses. For
the rest every book is asked for anew every few seconds (the venue itself repeats it once a minute, for this purpose).
https://phemex-docs.github.io/#subscribe-orderbook-with-depth
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from apps.exchanges.market_data.book import DepthBook
from apps.exchanges.venues.phemex.messages import BookMessage
from apps.exchanges.venues.phemex.parse_market import levels
from apps.exchanges.venues.phemex.words import moment
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book

DEPTH = 30
# Told to others: the part that is far from where prices fall out of sight, and cheaper to hand on.
SHOWN = 20


@dataclass(slots=True)
class _Tracked:
    """One book and how far it has got; not `known` until a whole book came."""

    book: DepthBook = field(default_factory=DepthBook)
    sequence: int = 0
    known: bool = False


class TrackedBooks:
    """The books of the symbols of one connection."""

    def __init__(self, symbols: Iterable[str]) -> None:
        """Begin without any book known."""
        self._tracked = {symbol: _Tracked() for symbol in symbols}
        self._doubted: dict[str, None] = {}
        self._turn = 0

    def forget(self) -> Sequence[str]:
        """Begin again, as what a connection told ends with it; return the symbols."""
        self._tracked = {symbol: _Tracked() for symbol in self._tracked}
        self._doubted.clear()
        return tuple(self._tracked)

    def take(self, message: BookMessage, received: datetime) -> Book | None:
        """Return the book after `message`; None while it is not known or the message says nothing new.

        Raises InvalidValue for a bad number and for a book that crosses; the book is then asked for anew.
        """
        tracked = self._tracked.get(message.symbol)
        if tracked is None:
            raise InvalidValue("symbol", message.symbol, "a symbol that was asked for")
        if not self._applies(message, tracked):
            return None
        bids, asks = levels(message.orderbook_p.bids), levels(message.orderbook_p.asks)
        try:
            if message.type == "snapshot":
                tracked.book.replace(bids, asks)
                tracked.known = True
            else:
                tracked.book.update(bids, asks)
            tracked.sequence = message.sequence
            # What falls out of sight is not told of any more, not even when it goes.
            tracked.book.trim(DEPTH)
            return tracked.book.top(SHOWN, moment(message.timestamp), received)
        except InvalidValue:
            self._doubt(message.symbol, tracked)
            raise

    def doubted(self) -> Sequence[str]:
        """Return, once, the symbols whose book is to be asked for anew."""
        if not self._doubted:
            return ()
        doubted, self._doubted = tuple(self._doubted), {}
        return doubted

    def next_to_verify(self, number: int) -> Sequence[str]:
        """Return up to `number` symbols whose turn it is to be asked for anew."""
        symbols = list(self._tracked)
        if not symbols:
            return ()
        chosen = [symbols[(self._turn + place) % len(symbols)] for place in range(min(number, len(symbols)))]
        self._turn = (self._turn + len(chosen)) % len(symbols)
        return chosen

    def _applies(self, message: BookMessage, tracked: _Tracked) -> bool:
        if message.type == "snapshot":
            # An older state than the one we have says that something overtook it: neither can be trusted.
            if not tracked.known or message.sequence >= tracked.sequence:
                return True
            self._doubt(message.symbol, tracked)
            return False
        if not tracked.known or message.sequence == tracked.sequence:
            return False
        if message.sequence < tracked.sequence:
            self._doubt(message.symbol, tracked)
            return False
        return True

    def _doubt(self, symbol: str, tracked: _Tracked) -> None:
        tracked.known, tracked.sequence = False, 0
        self._doubted[symbol] = None
