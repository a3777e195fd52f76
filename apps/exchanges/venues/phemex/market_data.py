"""Phemex's public reads: the `MarketDataClient` of this venue. Needs no account.

Past public trades are not told beyond the newest two hundred, so this client has no `TradeHistory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.exchanges.adapters import Tools
from apps.exchanges.history_ports import FundingRate
from apps.exchanges.ports import Listing, VenueConfig
from apps.exchanges.venues.phemex import parse_market
from apps.exchanges.venues.phemex.config import endpoints
from apps.exchanges.venues.phemex.listed import Listed
from apps.exchanges.venues.phemex.rest import PhemexRest
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.clock import milliseconds
from moondev.domain.market_data import BarSeries, Book
from moondev.domain.values import Price

# The venue wants fewer than 2,000 bars between the bounds of one question.
BARS_PER_PAGE = 1_900
_RATES_PER_PAGE = 100


class PhemexMarketData:
    """Asks for instruments, candles, books, marks and past funding rates. See `MarketDataClient`."""

    def __init__(self, venue: VenueConfig, tools: Tools) -> None:
        """Prepare without touching the network. Raises Configuration for a bad address."""
        self._clock = tools.clock
        self._rest = PhemexRest(endpoints(venue), tools.clock, tools.throttle)
        self._listed = Listed(venue.code, self._rest, UnreadableRows())

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules."""
        return self._listed.refresh()

    def candles(self, symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        """Return bars opened in [start, end], oldest first; the newest may still be forming.

        The venue takes bounds on the grid of the bars only, in seconds, and leaves the second one out.
        """
        length = parse_market.seconds_of(interval)
        first = -(-milliseconds(start) // (length * 1000)) * length
        stop = milliseconds(end) // (length * 1000) * length + length
        step = BARS_PER_PAGE * length
        pages = [
            self._rest.public(
                "publicGetMdV2KlineList",
                {
                    "symbol": symbol,
                    "resolution": length,
                    "from": begin,
                    "to": min(begin + step, stop),
                    "limit": BARS_PER_PAGE,
                },
            )
            for begin in range(first, stop, step)
        ]
        return parse_market.candles(pages, interval)

    def funding_history(self, symbol: str, start: datetime, end: datetime) -> list[FundingRate]:
        """Return rates paid in [start, end], oldest first; one page of at most 100. See `FundingHistory`."""
        fields = {
            # The rates of a symbol are a symbol of their own.
            "symbol": f".{symbol}FR8H",
            "start": milliseconds(start),
            "end": milliseconds(end),
            "limit": _RATES_PER_PAGE,
        }
        return parse_market.funding_rates(self._rest.public("v2GetApiDataPublicDataFundingRateHistory", fields))

    def book(self, symbol: str) -> Book:
        """Return the order book now, 30 levels a side."""
        text = self._rest.public("v2GetMdV2Orderbook", {"symbol": symbol})
        return parse_market.book_answer(text, self._clock.now())

    def marks(self) -> Mapping[str, Price]:
        """Return the mark price of every symbol that has one."""
        return parse_market.marks(self._rest.public("v2GetMdV2Ticker24hrAll"))

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()
