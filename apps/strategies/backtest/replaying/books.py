"""The order book that a bar stands for: one level a side around the newest price."""

from __future__ import annotations

from datetime import datetime

from apps.strategies.backtest.replaying.tracks import Track
from moondev.domain.clock import from_milliseconds
from moondev.domain.market_data import Book, BookLevel


def book_around(track: Track, now: datetime) -> Book | None:
    """Return bid and ask half the market's spread from its price, at least one tick apart; None before any price.

    Each side is as large as the volume of the newest bar: what a bar tells of depth, which is next to nothing.
    """
    price = track.price
    if price is None:
        return None
    half = max(track.half_spread * price, float(track.instrument.price_grid.tick) / 2)
    size = max(track.volume, float(track.instrument.lot.value))
    heard = from_milliseconds(track.priced_ms)
    return Book((BookLevel(price - half, size),), (BookLevel(price + half, size),), heard, now)
