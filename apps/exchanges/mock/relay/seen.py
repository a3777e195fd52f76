"""What a relayed venue says about its market, in one vocabulary. Prices and sizes as the venue states them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class BookSeen:
    """The whole book that is known of a coin: size by price, in quote currency and base units."""

    coin: str
    bids: Mapping[float, float]
    asks: Mapping[float, float]


@dataclass(frozen=True, slots=True)
class TradeSeen:
    """A public trade; `is_buy` is the aggressor's side."""

    coin: str
    price: float
    size: float
    is_buy: bool


@dataclass(frozen=True, slots=True)
class MarkSeen:
    """Mark and oracle (or index) price of a coin."""

    coin: str
    mark: float
    oracle: float


Seen: TypeAlias = BookSeen | TradeSeen | MarkSeen


class GapError(Exception):
    """Say that messages are missing: the books are worth nothing until the connection is made anew."""


class SideBooks:
    """Both sides of each coin, kept up from differences."""

    def __init__(self) -> None:
        """Start without any."""
        self._books: dict[str, tuple[dict[float, float], dict[float, float]]] = {}

    def replace(self, coin: str, bids: Mapping[float, float], asks: Mapping[float, float]) -> BookSeen:
        """Take a snapshot."""
        self._books[coin] = (dict(bids), dict(asks))
        return self.seen(coin)

    def change(self, coin: str, bids: Mapping[float, float], asks: Mapping[float, float]) -> BookSeen:
        """Take a difference: a size of zero takes a price away. Raises GapError before any snapshot."""
        if coin not in self._books:
            raise GapError(f"a difference of {coin} before its book")
        for side, news in zip(self._books[coin], (bids, asks), strict=True):
            for price, size in news.items():
                if size > 0:
                    side[price] = size
                else:
                    side.pop(price, None)
        return self.seen(coin)

    def uncross(self, coin: str, bids: Mapping[float, float], asks: Mapping[float, float]) -> None:
        """Drop what stands against prices that have just been told: one side is behind the other."""
        own_bids, own_asks = self._books[coin]
        best_bid, best_ask = max(bids, default=0.0), min(asks, default=float("inf"))
        for price in [price for price in own_asks if price <= best_bid]:
            del own_asks[price]
        for price in [price for price in own_bids if price >= best_ask]:
            del own_bids[price]

    def seen(self, coin: str) -> BookSeen:
        """Return the book of `coin` now."""
        bids, asks = self._books[coin]
        return BookSeen(coin, dict(bids), dict(asks))
