"""An order book kept from a snapshot and the differences after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sortedcontainers import SortedDict

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book, BookLevel

Level = tuple[float, float]


class DepthBook:
    """Prices and sizes of both sides. A size of zero takes a price out; a price is always the newest word on it."""

    __slots__ = ("_asks", "_bids")

    def __init__(self) -> None:
        """Start empty."""
        # Bids under their negative price, so that the best of either side comes first. Levels are made once, when a
        # price is told, because every change tells the whole top again.
        self._bids: SortedDict = SortedDict()
        self._asks: SortedDict = SortedDict()

    def __len__(self) -> int:
        """Return how many prices there are on both sides."""
        return len(self._bids) + len(self._asks)

    def replace(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Forget everything and take this snapshot. Raises InvalidValue for a bad number; nothing is kept then."""
        self._bids.clear()
        self._asks.clear()
        self.update(bids, asks)

    def update(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Apply differences. Raises InvalidValue for a bad number; the book is then empty: nobody knows it any more."""
        try:
            self._apply(self._bids, bids, -1.0)
            self._apply(self._asks, asks, 1.0)
        except InvalidValue:
            self._bids.clear()
            self._asks.clear()
            raise

    def uncross(self, *, newest_is_bid: bool) -> int:
        """Take out the prices that cross the best of the side heard of last; return how many there were.

        For venues whose differences come from several places, so that an old price may outlive a newer one for a
        moment. https://docs.dydx.xyz/indexer-client/websockets#orders
        """
        newest, oldest = (self._bids, self._asks) if newest_is_bid else (self._asks, self._bids)
        if not newest:
            return 0
        # A price of one side is the negative key of the other.
        crossed = list(oldest.irange(maximum=-newest.keys()[0]))
        for key in crossed:
            del oldest[key]
        return len(crossed)

    def trim(self, depth: int) -> None:
        """Forget all but the best `depth` prices of each side: beyond them some venues do not tell what changes."""
        for side in (self._bids, self._asks):
            while len(side) > depth:
                side.popitem()

    def top(self, depth: int, time_exchange: datetime, received: datetime) -> Book:
        """Return the best `depth` prices of each side. Raises InvalidValue when the book is crossed."""
        bids, asks = (tuple(map(side.__getitem__, side.islice(0, depth))) for side in (self._bids, self._asks))
        return Book(bids, asks, time_exchange, received)

    @staticmethod
    def _apply(side: SortedDict, levels: Iterable[Level], sign: float) -> None:
        for price, size in levels:
            # Written so that NaN fails too.
            if not 0.0 < price < float("inf") or not 0.0 <= size < float("inf"):
                raise InvalidValue("book level", (price, size), "a price above 0 and a size of 0 or more")
            if size:
                side[sign * price] = BookLevel(price, size)
            else:
                side.pop(sign * price, None)
