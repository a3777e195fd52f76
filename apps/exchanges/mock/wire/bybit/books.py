"""Order books as Bybit streams them: a snapshot on subscribing, differences after it, numbered without a hole.

https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.mock.engine.api import BookView, LevelView
from apps.exchanges.mock.wire.bybit.words import plain, symbol_of
from apps.exchanges.mock.wire.port import Json

Level = dict[Decimal, Decimal]


@dataclass(slots=True)
class StreamedBook:
    """One topic's book as it was last told. `u` numbers what was told of this book, without a hole."""

    coin: str
    depth: int
    u: int = 1
    sequence: int = 1
    time_ms: int = 0
    bids: Level = field(default_factory=dict)
    asks: Level = field(default_factory=dict)

    def snapshot(self, topic: str, now: int) -> Json:
        """Return the book as it was last told, in full."""
        return self._message(topic, "snapshot", _rows(self.bids), _rows(self.asks), now)

    def change(self, topic: str, view: BookView, now: int) -> Json | None:
        """Take the book as it is now and return the difference; None when there is none. Depth 1 is told in full."""
        bids, asks = _levels(view.bids), _levels(view.asks)
        changed = (_difference(self.bids, bids), _difference(self.asks, asks))
        self.bids, self.asks, self.time_ms = bids, asks, view.time_ms
        if not any(changed):
            return None
        self.u += 1
        self.sequence += sum(map(len, changed))
        if self.depth == 1:
            return self.snapshot(topic, now)
        return self._message(topic, "delta", *changed, now)

    def _message(self, topic: str, kind: str, bids: list[list[str]], asks: list[list[str]], now: int) -> Json:
        data = {"s": symbol_of(self.coin), "b": bids, "a": asks, "u": self.u, "seq": self.sequence}
        return {"topic": topic, "type": kind, "ts": now, "data": data, "cts": self.time_ms}


def _levels(side: tuple[LevelView, ...]) -> Level:
    return {level.price: level.size for level in side}


def _rows(levels: Level) -> list[list[str]]:
    return [[plain(price), plain(size)] for price, size in levels.items()]


def _difference(old: Level, new: Level) -> list[list[str]]:
    """Return changed and new prices with their size, and those that went out of sight with size 0."""
    gone = [[plain(price), "0"] for price in old if price not in new]
    return gone + [[plain(price), plain(size)] for price, size in new.items() if old.get(price) != size]
