"""Hyperliquid's public reads: the `MarketDataClient` of this venue. Needs no account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.ports import Listing, VenueConfig
from apps.exchanges.throttling import Throttle
from apps.exchanges.venues.hyperliquid import parse, parse_market
from apps.exchanges.venues.hyperliquid.config import endpoints
from apps.exchanges.venues.hyperliquid.rest import Rest
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.market_data import BarSeries, Book
from moondev.domain.values import Price


class HyperliquidMarketData:
    """Asks for instruments, candles, books and marks. See `MarketDataClient`."""

    def __init__(self, venue: VenueConfig, clock: Clock, throttle: Throttle | None = None) -> None:
        """Prepare without touching the network. Raises Configuration for a bad address."""
        self._venue_code = venue.code
        self._clock = clock
        self._rest = Rest(endpoints(venue).rest_url, throttle)

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules."""
        return parse.listings(self._rest.info({"type": "meta", "dex": ""}), self._venue_code)

    def candles(self, symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        """Return bars opened in [start, end], oldest first; the venue keeps the newest 5,000."""
        request = {
            "coin": symbol,
            "interval": parse_market.interval_name(interval),
            "startTime": milliseconds(start),
            "endTime": milliseconds(end),
        }
        return parse_market.candles(self._rest.info({"type": "candleSnapshot", "req": request}), interval)

    def funding_history(self, symbol: str, start: datetime, end: datetime) -> list[FundingRate]:
        """Return rates paid in [start, end], oldest first; one page of at most 500. See `FundingHistory`."""
        request = {
            "type": "fundingHistory",
            "coin": symbol,
            "startTime": milliseconds(start),
            "endTime": milliseconds(end),
        }
        return parse_market.funding_rates(self._rest.info(request))

    def book(self, symbol: str) -> Book:
        """Return the order book now, 20 levels a side."""
        return parse_market.book_answer(self._rest.info({"type": "l2Book", "coin": symbol}), self._clock.now())

    def marks(self) -> Mapping[str, Price]:
        """Return the mark price of every symbol that has one."""
        return parse_market.marks(self._rest.info({"type": "metaAndAssetCtxs"}))

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()
