"""Binance's public reads: the `MarketDataClient` of this venue. Needs no account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.exchanges.adapters import Tools
from apps.exchanges.history_ports import FundingRate
from apps.exchanges.ports import Listing, VenueConfig
from apps.exchanges.venues.binance import parse_account, parse_market
from apps.exchanges.venues.binance.config import endpoints
from apps.exchanges.venues.binance.rest import Calls, Rest
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.clock import milliseconds
from moondev.domain.market_data import BarSeries, Book, TradeTick
from moondev.domain.values import Price

CANDLES_PER_PAGE = 1_500
MAX_CANDLE_PAGES = 16
BOOK_DEPTH = 100
ROWS_PER_PAGE = 1_000


class BinanceMarketData:
    """Asks for instruments, candles, books, marks, past funding and past trades. See `MarketDataClient`."""

    def __init__(self, venue: VenueConfig, tools: Tools) -> None:
        """Prepare without touching the network. Raises Configuration for a bad address."""
        self._venue_code, self._clock = venue.code, tools.clock
        self._rest = Rest(endpoints(venue), tools)
        self._unreadable = UnreadableRows()

    def instruments(self) -> list[Listing]:
        """Return the perpetuals that trade now, with their rules."""
        found = parse_account.listings(self._rest.ask(Calls.INSTRUMENTS), self._venue_code)
        self._unreadable.note(found.unreadable)
        return list(found.read)

    def candles(self, symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        """Return bars opened in [start, end], oldest first; of a longer span the oldest 24,000."""
        name, last = parse_market.interval_name(interval), milliseconds(end)
        since = milliseconds(start)
        pages: list[BarSeries] = []
        while len(pages) < MAX_CANDLE_PAGES:
            asked = {"symbol": symbol, "interval": name, "startTime": since, "endTime": last, "limit": CANDLES_PER_PAGE}
            pages.append(parse_market.candles(self._rest.ask(Calls.CANDLES, asked), interval))
            if len(pages[-1]) < CANDLES_PER_PAGE:
                break
            since = int(pages[-1].opened_ms[-1]) + 1
        return parse_market.joined(pages, interval)

    def funding_history(self, symbol: str, start: datetime, end: datetime) -> list[FundingRate]:
        """Return rates paid in [start, end], oldest first; one page. See `FundingHistory`."""
        span = {"startTime": milliseconds(start), "endTime": milliseconds(end)}
        asked = {**span, "symbol": symbol, "limit": ROWS_PER_PAGE}
        return parse_market.funding_rates(self._rest.ask(Calls.FUNDING_RATES, asked))

    def trades(self, symbol: str, start: datetime, end: datetime) -> list[TradeTick]:
        """Return trades made in [start, end], oldest first, fills of one order at one price as one; one page.

        See `TradeHistory`. The venue is asked for what follows `start` without an end: with one it answers for at most
        an hour, and an hour without trades would look like the end of them all.
        """
        asked = {"symbol": symbol, "startTime": milliseconds(start), "limit": ROWS_PER_PAGE}
        page = parse_market.trades(self._rest.ask(Calls.TRADES, asked), symbol, self._clock.now())
        return [trade for trade in page if trade.time_exchange <= end]

    def book(self, symbol: str) -> Book:
        """Return the order book now, 100 levels a side."""
        answer = self._rest.ask(Calls.DEPTH.value.weighing(5), {"symbol": symbol, "limit": BOOK_DEPTH})
        return parse_market.book_answer(answer, BOOK_DEPTH, self._clock.now())

    def marks(self) -> Mapping[str, Price]:
        """Return the mark price of every symbol that has one."""
        found = parse_market.marks(self._rest.ask(Calls.MARKS))
        self._unreadable.note(found.unreadable)
        return dict(found.read)

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()
