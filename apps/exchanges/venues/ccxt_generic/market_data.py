"""Public reads of an exchange that only ccxt knows: the `MarketDataClient` of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.exchanges.ports import Listing, VenueConfig
from apps.exchanges.throttling import Throttle
from apps.exchanges.venues.ccxt_generic import parse
from apps.exchanges.venues.ccxt_generic.known import KnownExchange
from apps.exchanges.venues.ccxt_generic.unified import Unified
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Book, TradeTick
from moondev.domain.values import Price


class CcxtMarketData:
    """Asks for instruments, candles, books, trades and marks. See `MarketDataClient`."""

    def __init__(self, venue: VenueConfig, known: KnownExchange, clock: Clock, throttle: Throttle) -> None:
        """Prepare without touching the network. Raises Configuration for a bad address."""
        self._unified = Unified(venue, known, clock, throttle)
        self._clock = clock

    def instruments(self) -> list[Listing]:
        """Return what the exchange lists now, with its rules."""
        return self._unified.listings()

    def candles(self, symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        """Return bars opened in [start, end], oldest first: one page, as many as the exchange gives."""
        first, last = milliseconds(start), milliseconds(end)
        # Some exchanges count `since` as after, and some answer beyond `until`.
        bars = parse.candles(self._bars(symbol, interval, first, last), interval)
        inside = (bars.opened_ms >= first) & (bars.opened_ms <= last)
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        return BarSeries(interval, bars.opened_ms[inside], *(column[inside] for column in columns))

    def book(self, symbol: str) -> Book:
        """Return the order book now, as deep as the exchange tells by default."""
        answer = self._unified.call("fetch_order_book", self._name(symbol))
        return parse.book(answer, self._clock.now())

    def marks(self) -> Mapping[str, Price]:
        """Return the mark price of every symbol that has one."""
        self._unified.require_markets()
        answer = self._unified.call("fetch_tickers")
        found = {}
        for unified, ticker in answer.items():
            price = parse.mark_price(ticker)
            market = self._unified.exchange.markets.get(unified)
            if price is not None and market is not None:
                found[str(market["id"])] = price
        return found

    def newest_trades(self, symbol: str) -> list[TradeTick]:
        """Return the newest public trades, oldest first."""
        received = self._clock.now()
        rows = self._unified.call("fetch_trades", self._name(symbol))
        good, _ = parse.several("trade", rows, lambda row: parse.trade(row, symbol, received))
        return sorted(good, key=lambda tick: tick.time_exchange)

    def close(self) -> None:
        """Give back the connections."""
        self._unified.close()

    def _bars(self, symbol: str, interval: timedelta, first: int, last: int) -> list[list[object]]:
        frame = self._frame(interval)
        answer: list[list[object]] = self._unified.call(
            "fetch_ohlcv", self._name(symbol), frame, first, None, {"until": last}
        )
        return answer

    def _frame(self, interval: timedelta) -> str:
        frames: dict[timedelta, str] = {
            timedelta(seconds=self._unified.exchange.parse_timeframe(name)): name
            for name in self._unified.exchange.timeframes or {}
            if name[-1] != "M"
        }
        if interval not in frames:
            raise InvalidValue("interval", str(interval), ", ".join(sorted(frames.values())))
        return frames[interval]

    def _name(self, symbol: str) -> str:
        return str(self._unified.market(symbol)["symbol"])
