"""Bybit's public reads: the `MarketDataClient` of this venue. Needs no account."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.ports import Listing, ParseError, VenueConfig
from apps.exchanges.throttling import Lane, Throttle
from apps.exchanges.venues.bybit import parse, parse_market
from apps.exchanges.venues.bybit.config import CATEGORY, endpoints
from apps.exchanges.venues.bybit.rest import Rest
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import InvalidValue, Invariant
from moondev.domain.market_data import BarSeries, Book, TradeTick
from moondev.domain.values import Price

logger = logging.getLogger(__name__)

BARS_PER_PAGE, RATES_PER_PAGE, TRADES_TOLD, INSTRUMENTS_PER_PAGE = 1_000, 200, 1_000, 1_000
_MAX_PAGES = 200
_MILLISECOND = timedelta(milliseconds=1)


class BybitMarketData:
    """Asks for instruments, candles, books, marks, past funding rates and trades. See `MarketDataClient`."""

    def __init__(self, venue: VenueConfig, clock: Clock, throttle: Throttle) -> None:
        """Prepare without touching the network. Raises Configuration for a bad address."""
        self._venue_code, self._clock = venue.code, clock
        self._rest = Rest(endpoints(venue).rest_url, clock, throttle)
        # An odd row of the venue's list, met every time it is read, is told once.
        self._unreadable = UnreadableRows()

    def instruments(self) -> list[Listing]:
        """Return the perpetuals the venue trades now, with their rules; what cannot be read is left out and logged."""
        items, cursor = [], ""
        for _ in range(_MAX_PAGES):
            query = {"category": CATEGORY, "limit": INSTRUMENTS_PER_PAGE, **({"cursor": cursor} if cursor else {})}
            page, cursor = parse.page("instruments", self._rest.public("market/instruments-info", query, Lane.RESERVED))
            items += page
            if not cursor or not page:
                break
        found = parse_market.listings(items, self._venue_code)
        self._unreadable.note(found.unreadable)
        if not found.read:
            raise ParseError("instruments", "not one that can be traded", items[:3])
        return list(found.read)

    def candles(self, symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        """Return bars opened in [start, end], oldest first; of more than 1,000 the newest."""
        query = {
            "category": CATEGORY,
            "symbol": symbol,
            "interval": parse_market.interval_name(interval),
            "start": milliseconds(start),
            "end": milliseconds(end),
            "limit": BARS_PER_PAGE,
        }
        return parse_market.candles(self._rest.public("market/kline", query), interval)

    def book(self, symbol: str) -> Book:
        """Return the order book now, 50 levels a side."""
        query = {"category": CATEGORY, "symbol": symbol, "limit": parse_market.BOOK_DEPTH}
        return parse_market.book_answer(self._rest.public("market/orderbook", query), self._clock.now())

    def marks(self) -> Mapping[str, Price]:
        """Return the mark price of every symbol that has one."""
        found = parse_market.marks(self._rest.public("market/tickers", {"category": CATEGORY}))
        self._unreadable.note(found.unreadable)
        return dict(found.read)

    def funding_history(self, symbol: str, start: datetime, end: datetime) -> list[FundingRate]:
        """Return every rate paid in [start, end], oldest first. See `FundingHistory`.

        The venue tells the newest 200 of a span, so it is asked on from its end to its beginning.
        """
        rates: dict[datetime, FundingRate] = {}
        for _ in range(_MAX_PAGES):
            query = {
                "category": CATEGORY,
                "symbol": symbol,
                "startTime": milliseconds(start),
                "endTime": milliseconds(end),
                "limit": RATES_PER_PAGE,
            }
            page = parse_market.funding_rates(self._rest.public("market/funding/history", query))
            rates |= {rate.time_exchange: rate for rate in page}
            if len(page) < RATES_PER_PAGE or page[0].time_exchange <= start:
                return [rates[at] for at in sorted(rates)]
            end = page[0].time_exchange - _MILLISECOND
        raise Invariant(f"more than {_MAX_PAGES} pages of funding rates of {symbol} since {start.isoformat()}")

    def trades(self, symbol: str, start: datetime, end: datetime) -> list[TradeTick]:
        """Return trades made in [start, end], oldest first. See `TradeHistory`.

        Raises InvalidValue when `start` lies before the newest 1,000: the venue tells no older ones, and what is
        missing must not look like silence.
        """
        query = {"category": CATEGORY, "symbol": symbol, "limit": TRADES_TOLD}
        told = parse_market.recent_trades(self._rest.public("market/recent-trade", query), self._clock.now())
        if len(told) >= TRADES_TOLD and start < told[0].time_exchange:
            earliest = told[0].time_exchange.isoformat()
            raise InvalidValue("start", start.isoformat(), f"{earliest} or later: the venue tells 1,000 trades only")
        return [tick for tick in told if start <= tick.time_exchange <= end]

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()
