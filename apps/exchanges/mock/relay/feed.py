"""The relayed market as a feed: the house quotes what the live venue quotes and lets its trades happen here."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import isfinite

from apps.exchanges.mock.engine.feed.depth import levels_of
from apps.exchanges.mock.engine.feed.mirror import Mirror
from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.relay.seen import BookSeen, MarkSeen, Seen, TradeSeen
from apps.exchanges.mock.relay.source import Source
from moondev.domain.errors import InvalidValue

# What is not fetched for that long is lost, oldest first: a market that was paused goes on with what is.
_LARGEST_BACKLOG = 100_000


class RelayFeed:
    """Copies one source into one exchange.

    While the source is stale nothing is copied: books, marks and trades stay as they were last heard, and
    `source.health` says so. Our own orders trade against the copied book; the live venue never hears of them, so its
    next book puts back what they took. Spot pairs show the book of their coin; trades are the perpetuals'.
    """

    def __init__(self, source: Source) -> None:
        """Follow `source`."""
        self.source = source
        self._waiting: deque[Seen] = deque(maxlen=_LARGEST_BACKLOG)
        self._house: House | None = None
        self._pairs: Mapping[str, str] = {}
        self._mirrors: dict[str, list[Mirror]] = {}
        self._books: dict[str, BookSeen] = {}
        source.follow(self._waiting.append)

    def price_as(self, pairs: Mapping[str, str]) -> None:
        """Show spot pairs too, each with the book of the coin given with it. Call it before `start`."""
        self._pairs = dict(pairs)

    def start(self, house: House, now_ms: int) -> None:  # noqa: ARG002 - a live market has no history
        """Prepare a mirror per market; they open with the first books that are heard."""
        self._house = house
        for coin in self.source.coins:
            market = house.market(coin)
            market.bars.from_tape = True
            spots = [house.market(pair) for pair, its in self._pairs.items() if its == coin]
            self._mirrors[coin] = [Mirror(house, market) for market in (market, *spots)]

    def advance(self, now_ms: int) -> int:
        """Copy what was heard since the last call."""
        house = self._desk()
        house.at(now_ms)
        changed: set[str] = set()
        while self._waiting:
            seen = self._waiting.popleft()
            if isinstance(seen, BookSeen):
                self._books[seen.coin] = seen
                changed.add(seen.coin)
            elif isinstance(seen, TradeSeen):
                # It meets the book that was told before it. That book may know of it already, so it is shown again.
                if seen.coin in changed:
                    self._show(seen.coin)
                self._trade(house, seen)
                changed.add(seen.coin)
            else:
                self._mark(house, seen)
        for coin in changed:
            self._show(coin)
        return now_ms

    def skip_to(self, now_ms: int) -> None:
        """Go on with what is heard from now: drop trades of the pause, keep the newest book and mark of each coin."""
        newest = {(type(seen), seen.coin): seen for seen in self._waiting if not isinstance(seen, TradeSeen)}
        self._waiting.clear()
        self._waiting.extend(newest.values())
        self.advance(now_ms)

    def _show(self, coin: str) -> None:
        book = self._books.get(coin)
        if book is None:
            return
        raw_bids, raw_asks = _sound(book.bids), _sound(book.asks)
        for mirror in self._mirrors.get(book.coin, ()):
            grid = mirror.market.grid
            bids, asks = levels_of(raw_bids, grid, is_buy=True), levels_of(raw_asks, grid, is_buy=False)
            if bids and asks and max(bids) < min(asks):
                mirror.show(bids, asks)

    def _trade(self, house: House, trade: TradeSeen) -> None:
        if trade.coin not in self._mirrors or not _positive(trade.price, trade.size):
            return
        market = self._mirrors[trade.coin][0].market
        grid = market.grid
        exact, units = round(trade.price * grid.price_unit), round(trade.size * grid.size_unit)
        reach = grid.ceil(exact) if trade.is_buy else grid.floor(exact)
        if units > 0 and reach > 0:
            house.take(market, reach, units, is_buy=trade.is_buy)
        house.print(market, grid.nearest(trade.price), max(0, units))

    def _mark(self, house: House, seen: MarkSeen) -> None:
        if not _positive(seen.mark, seen.oracle):
            return
        for mirror in self._mirrors.get(seen.coin, ()):
            grid = mirror.market.grid
            house.set_mark(mirror.market, grid.nearest(seen.mark), grid.nearest(seen.oracle))

    def _desk(self) -> House:
        if self._house is None:
            raise InvalidValue("feed", "not started", "a feed that is attached to an exchange")
        return self._house


def _positive(*numbers: float) -> bool:
    return all(isfinite(number) and number > 0 for number in numbers)


def _sound(side: Mapping[float, float]) -> dict[float, float]:
    return {price: size for price, size in side.items() if _positive(price, size)}
