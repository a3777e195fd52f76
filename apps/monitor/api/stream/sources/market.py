"""Topics ``prices`` and ``candles:VENUE:SYMBOL:SECONDS``: what the market does, from the cache the streams write."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

from apps.exchanges.market_data.cache import MarketCache, Wanted, process_redis
from apps.exchanges.models import InstrumentRow
from apps.monitor.api.stream.table import Row, Rows
from apps.strategies.models.strategies import StrategyInstrument
from moondev.domain.clock import Clock, monotonic
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import InstrumentView

BARS_SHOWN = 300
# What strategies trade changes when a person changes it.
TRADED_SECONDS = 1.0
INTERVALS = (60, 300, 900, 3_600, 14_400, 86_400)


class PriceTopic:
    """Looks at prices many times a second, and once a second at what is traded."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        """Know of nothing that is traded."""
        self._timer = timer
        self._traded: tuple[float, list[str]] = (-math.inf, [])

    def read(self, _words: tuple[str, ...], clock: Clock) -> Rows:
        """Return the best prices and marks of what strategies trade, by instrument. Raises Connectivity."""
        looked, traded = self._traded
        if self._timer() - looked >= TRADED_SECONDS:
            traded = _traded()
            self._traded = (self._timer(), traded)
        views = MarketCache(process_redis()).views({key: Wanted() for key in traded}, clock.now())
        return {key: _price(view) for key, view in views.items()}


def read_charts(_words: tuple[str, ...], clock: Clock) -> Rows:
    """Return which bars (seconds) are kept of each instrument that strategies trade. Raises Connectivity."""
    newest = Wanted({timedelta(seconds=seconds): 1 for seconds in INTERVALS}, book=False)
    views = MarketCache(process_redis()).views(dict.fromkeys(_traded(), newest), clock.now())
    return {
        key: {"intervals": sorted(round(interval.total_seconds()) for interval, bars in view.bars.items() if len(bars))}
        for key, view in views.items()
    }


def read_candles(words: tuple[str, ...], clock: Clock) -> Rows:
    """Return the latest closed bars by open time in seconds. Raises InvalidValue and Connectivity."""
    venue, symbol, text = words
    if text not in {str(seconds) for seconds in INTERVALS}:
        raise InvalidValue("seconds", text, ", ".join(str(seconds) for seconds in INTERVALS))
    if not InstrumentRow.objects.filter(venue_id=venue, symbol=symbol).exists():
        raise InvalidValue("instrument", f"{venue}:{symbol}", "one that is listed")
    interval, key = timedelta(seconds=int(text)), f"{venue}:{symbol}"
    view = MarketCache(process_redis()).views({key: Wanted({interval: BARS_SHOWN})}, clock.now())[key]
    return {**_bars(view, interval), **_now(view)}


def _traded() -> list[str]:
    traded = StrategyInstrument.objects.values_list("instrument__venue_id", "instrument__symbol").distinct()
    return sorted(f"{venue}:{symbol}" for venue, symbol in traded)


def _bars(view: InstrumentView, interval: timedelta) -> dict[str, Row]:
    bars = view.bars.get(interval)
    if bars is None:
        return {}
    columns = zip(bars.opened_ms, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    return {
        str(int(opened) // 1000): {
            "open": float(first),
            "high": float(high),
            "low": float(low),
            "close": float(last),
            "volume": float(volume),
        }
        for opened, first, high, low, last, volume in columns
    }


def _now(view: InstrumentView) -> dict[str, Row]:
    price = _price(view)
    return {"now": {"price": price["mark"] if price["bid"] is None else price["mid"]}}


def _price(view: InstrumentView) -> Row:
    book = view.book
    bid = book.bids[0].price if book and book.bids else None
    ask = book.asks[0].price if book and book.asks else None
    return {
        "bid": bid,
        "ask": ask,
        "mid": None if bid is None or ask is None else (bid + ask) / 2,
        "mark": view.mark_price,
        "funding": view.funding_rate,
    }
