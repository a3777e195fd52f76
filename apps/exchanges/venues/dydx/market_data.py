"""dYdX's public reads: the `MarketDataClient` of this venue, with its past funding and trades. Needs no account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from apps.exchanges.adapters import Tools
from apps.exchanges.history_ports import FundingRate
from apps.exchanges.ports import Listing, VenueConfig
from apps.exchanges.venues.dydx import parse_market
from apps.exchanges.venues.dydx.config import endpoints
from apps.exchanges.venues.dydx.rest import Rest
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.market_data import BarSeries, Book, TradeTick
from moondev.domain.values import Price

_PAGE = 1_000
_MAX_PAGES = 200


class DydxMarketData:
    """Asks for instruments, candles, books and marks. See `MarketDataClient`, `FundingHistory`, `TradeHistory`."""

    def __init__(self, venue: VenueConfig, tools: Tools) -> None:
        """Prepare without touching the network. Raises Configuration for a bad address."""
        self._venue_code, self._clock = venue.code, tools.clock
        self._rest = Rest(endpoints(venue), tools.clock, tools.throttle)

    def instruments(self) -> list[Listing]:
        """Return the markets that trade now, with their rules."""
        found = parse_market.markets(self._rest.indexer("indexerGetPerpetualMarkets", {}), self._venue_code)
        return [market.listing for market in found.read]

    def candles(self, symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        """Return bars opened in [start, end], oldest first, flat ones where nothing was traded."""
        last = min(end, self._clock.now())
        rows: dict[int, tuple[float, ...]] = {}
        until = last + timedelta(milliseconds=1)
        for _ in range(_MAX_PAGES):
            page = self._candles_page(symbol, interval, start, until)
            rows |= page
            if len(page) < _PAGE:
                break
            until = from_milliseconds(min(page))
        step = int(interval / timedelta(milliseconds=1))
        return parse_market.series(rows, interval, milliseconds(last) // step * step)

    def book(self, symbol: str) -> Book:
        """Return the order book now, 100 levels a side."""
        answer = self._rest.indexer("indexerGetOrderbooksPerpetualMarketMarket", {"market": symbol})
        return parse_market.book(answer, self._clock.now())

    def marks(self) -> Mapping[str, Price]:
        """Return the oracle price of every market: the one positions are valued at."""
        return parse_market.marks(self._rest.indexer("indexerGetPerpetualMarkets", {}))

    def funding_history(self, symbol: str, start: datetime, end: datetime) -> list[FundingRate]:
        """Return rates paid in [start, end], oldest first. See `FundingHistory`.

        The venue tells the newest first, so the pages behind `end` are read until one reaches `start`.
        """
        found: dict[datetime, FundingRate] = {}
        before = end
        for _ in range(_MAX_PAGES):
            asked = {"market": symbol, "limit": _PAGE, "effectiveBeforeOrAt": _iso(before)}
            page = parse_market.funding_rates(self._rest.indexer("indexerGetHistoricalFundingMarket", asked))
            found |= {rate.time_exchange: rate for rate in page if start <= rate.time_exchange <= end}
            if len(page) < _PAGE or page[0].time_exchange < start:
                break
            before = page[0].time_exchange - timedelta(milliseconds=1)
        return [found[moment] for moment in sorted(found)]

    def trades(self, symbol: str, start: datetime, end: datetime) -> list[TradeTick]:
        """Return trades made in [start, end], oldest first. See `TradeHistory`; read as the rates are."""
        found: dict[str, TradeTick] = {}
        before = end
        for _ in range(_MAX_PAGES):
            asked = {"market": symbol, "limit": _PAGE, "createdBeforeOrAt": _iso(before)}
            answer = self._rest.indexer("indexerGetTradesPerpetualMarketMarket", asked)
            page = parse_market.trades(symbol, answer, self._clock.now())
            fresh = {tick.trade_id: tick for tick in page if start <= tick.time_exchange <= end}
            known = len(found)
            found |= fresh
            if len(page) < _PAGE or page[0].time_exchange < start or len(found) == known:
                break
            before = page[0].time_exchange
        return sorted(found.values(), key=lambda tick: tick.time_exchange)

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()

    def _candles_page(
        self, symbol: str, interval: timedelta, start: datetime, until: datetime
    ) -> dict[int, tuple[float, ...]]:
        asked = {
            "market": symbol,
            "resolution": parse_market.resolution(interval),
            "fromISO": _iso(start),
            "toISO": _iso(until),
            "limit": _PAGE,
        }
        return parse_market.candle_rows(self._rest.candles(asked), interval)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
