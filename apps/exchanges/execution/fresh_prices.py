"""The prices that what waits with us is held against: the mark, or the middle of the book; fresh, or none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from apps.exchanges.execution.timing import lasting
from apps.exchanges.market_data.cache import MarketCache, Wanted
from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity
from moondev.domain.market_data import InstrumentView
from moondev.domain.values import Price

# Real seconds: how old a price may be to act on.
FRESH_SECONDS = 10.0


def fresh_prices(cache: MarketCache, clock: Clock, instruments: Iterable[str], now: datetime) -> dict[str, Price]:
    """Return the prices of those instruments that have a fresh one; of none while the cache is away."""
    try:
        views = cache.views({key: Wanted(book=True) for key in sorted(instruments)}, now)
    except Connectivity:
        return {}
    fresh = lasting(clock, FRESH_SECONDS)
    known = {key: _price(view, fresh) for key, view in views.items()}
    return {key: price for key, price in known.items() if price is not None}


def _price(view: InstrumentView, fresh: timedelta) -> Price | None:
    """Return the mark, else the middle of the book, whichever is `fresh`: each comes by a way of its own."""
    mark_age = view.age if view.mark_age is None else view.mark_age
    if view.mark_price is not None and view.mark_price > 0 and mark_age <= fresh:
        return Price(Decimal(str(view.mark_price)))
    if view.age > fresh or view.book is None or not view.book.bids or not view.book.asks:
        return None
    return Price(Decimal(str(view.book.mid)))
