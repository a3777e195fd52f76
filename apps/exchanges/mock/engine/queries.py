"""Reading the engine: market side."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import AssetContext, BookView, Candle, FundingRate, LevelView, Trade
from apps.exchanges.mock.engine.book import Level
from apps.exchanges.mock.engine.funding import Funding, impact_px
from apps.exchanges.mock.engine.grid import Grid, money
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.outbox import candle_of
from apps.exchanges.mock.engine.venue import Venue


class MarketQueries:
    """Answers about books, bars, prices and rates."""

    __slots__ = ("_funding", "_venue")

    def __init__(self, venue: Venue, funding: Funding) -> None:
        self._venue = venue
        self._funding = funding

    def book(self, coin: str, depth: int | None) -> BookView:
        """Return the top `depth` prices of each side."""
        market = self._venue.market(coin)
        bids = tuple(_view(market.grid, level) for level in market.book.bids.top(depth))
        asks = tuple(_view(market.grid, level) for level in market.book.asks.top(depth))
        return BookView(coin, self._venue.now_ms, bids, asks)

    def trades(self, coin: str, limit: int) -> list[Trade]:
        """Return the newest trades, newest first."""
        newest = list(self._venue.market(coin).trades)[-limit:] if limit > 0 else []
        return newest[::-1]

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int) -> list[Candle]:
        """Return the bars that open within [start_ms, end_ms]."""
        market = self._venue.market(coin)
        bars = market.bars.series(interval).within(start_ms, end_ms)
        return [candle_of(market, interval, bar) for bar in bars]

    def mid(self, market: Market) -> Decimal | None:
        """Return the middle of best bid and ask, None while a side is empty."""
        quotes = market.book.middle()
        return None if quotes is None else market.grid.price(sum(quotes)) / 2

    def mids(self) -> dict[str, Decimal]:
        """Return every coin's middle, the mark where there is none."""
        markets = self._venue.markets
        return {coin: self.mid(market) or market.grid.price(market.mark) for coin, market in markets.items()}

    def asset_context(self, coin: str) -> AssetContext:
        """Return mark, oracle, funding, volumes."""
        market = self._venue.market(coin)
        grid = market.grid
        rate, premium = self._funding.expected(market)
        day = market.bars.day_before(self._venue.now_ms)
        held = (account.positions[coin].size for account in market.holders.values())
        return AssetContext(
            coin=coin,
            mark=grid.price(market.mark),
            oracle=grid.price(market.oracle),
            mid=self.mid(market),
            funding=rate,
            premium=premium,
            open_interest=grid.size(sum(size for size in held if size > 0)),
            day_notional_volume=money(sum(bar.volume * bar.close for bar in day)),
            day_base_volume=grid.size(sum(bar.volume for bar in day)),
            prev_day_px=grid.price(day[0].open if day else market.last),
            impact_bid=_rounded(grid, impact_px(market.book.bids)),
            impact_ask=_rounded(grid, impact_px(market.book.asks)),
        )

    def funding_history(self, coin: str, start_ms: int, end_ms: int | None) -> list[FundingRate]:
        """Return the hourly rates within the span."""
        rates = self._venue.market(coin).rates
        return [rate for rate in rates if start_ms <= rate.time_ms and (end_ms is None or rate.time_ms <= end_ms)]


def _view(grid: Grid, level: Level) -> LevelView:
    return LevelView(grid.price(level.px), grid.size(level.size), len(level.orders))


def _rounded(grid: Grid, px: float | None) -> Decimal | None:
    return None if px is None else grid.price(round(px))
