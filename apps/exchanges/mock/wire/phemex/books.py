"""Order books as Phemex streams them: a snapshot on subscribing and once a minute, differences between.

The sequence only grows: it counts other things too, so no hole in it can be told from one.
https://phemex-docs.github.io/#subscribe-orderbook-with-depth
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from apps.exchanges.mock.engine.api import BookView, LevelView
from apps.exchanges.mock.wire.phemex.words import NS_PER_MS, plain, symbol_of
from apps.exchanges.mock.wire.port import Json

SNAPSHOT_SECONDS = 60.0
# "0" is the whole book.
DEPTHS = frozenset({0, 1, 5, 10, 30})
Level = dict[Decimal, Decimal]


@dataclass(slots=True)
class StreamedBook:
    """One topic's book as it was last told; `snapshot_due` in monotonic seconds."""

    coin: str
    depth: int
    snapshot_due: float
    time_ms: int = 0
    bids: Level = field(default_factory=dict)
    asks: Level = field(default_factory=dict)

    def take(self, view: BookView) -> None:
        """Take the book as it is now."""
        self.bids, self.asks, self.time_ms = _levels(view.bids), _levels(view.asks), view.time_ms

    def snapshot(self, sequence: int) -> Json:
        """Return all of the book as it was last told: the next difference starts from there for every listener."""
        told = {"asks": _rows(self.asks), "bids": _rows(self.bids)}
        return self._message(told, sequence, "snapshot")

    def change(self, view: BookView, sequence: int) -> Json | None:
        """Take the book as it is now and return the difference; None when there is none.

        A price that only fell out of the depth is not told of: it is up to the listener to forget it.
        """
        bids, asks = _levels(view.bids), _levels(view.asks)
        full = (self._full(self.bids, bids), self._full(self.asks, asks))
        told = {
            "asks": _difference(self.asks, asks, max(asks, default=None) if full[1] else None, sign=1),
            "bids": _difference(self.bids, bids, min(bids, default=None) if full[0] else None, sign=-1),
        }
        self.bids, self.asks, self.time_ms = bids, asks, view.time_ms
        return self._message(told, sequence, "incremental") if any(told.values()) else None

    def _message(self, told: Json, sequence: int, kind: str) -> Json:
        return {
            "depth": self.depth,
            "orderbook_p": told,
            "sequence": sequence,
            "symbol": symbol_of(self.coin),
            "timestamp": self.time_ms * NS_PER_MS,
            "type": kind,
        }

    def _full(self, old: Level, new: Level) -> bool:
        return bool(self.depth) and len(new) >= self.depth and bool(old)


def _rows(levels: Level) -> list[list[str]]:
    return [[plain(price), plain(size)] for price, size in levels.items()]


def _levels(side: tuple[LevelView, ...]) -> Level:
    return {level.price: level.size for level in side}


def _difference(old: Level, new: Level, worst: Decimal | None, *, sign: int) -> list[list[str]]:
    """Return changed and new prices with their size, and those that are gone with size 0.

    `worst` is the last price in sight when there may be more beyond it; None when all there is is in sight.
    """
    gone = [price for price in old if price not in new and (worst is None or sign * price < sign * worst)]
    changed = [[plain(price), plain(size)] for price, size in new.items() if old.get(price) != size]
    return [[plain(price), "0"] for price in gone] + changed
