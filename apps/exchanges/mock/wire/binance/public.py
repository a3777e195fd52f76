"""What anybody may ask: instruments, books, bars, prices.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from apps.exchanges.mock.engine.api import AssetContext, InstrumentSpec
from apps.exchanges.mock.engine.bars import interval_ms
from apps.exchanges.mock.wire.binance import views
from apps.exchanges.mock.wire.binance.books import Books
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.refusals import RefusedError
from apps.exchanges.mock.wire.binance.trading import BAND
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.binance.words import INTERVALS, QUOTE, money, price, symbol_of, text, tick_of
from apps.exchanges.mock.wire.port import Json

HOUR_MS = 3_600_000
_DAY_MS = 24 * HOUR_MS
_DEPTHS = (5, 10, 20, 50, 100, 500, 1_000)
_MOST_TRADES = 1_000
_PERPETUAL_ENDS_MS = 4_133_404_800_000
_ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]


class Public:
    """Answers without a key. Every method refuses with RefusedError."""

    def __init__(self, venue: Venue, books: Books) -> None:
        """Ask `venue`; `books` number the updates of its books."""
        self._venue, self._books = venue, books

    def ping(self, _: Params) -> Json:
        """Answer that somebody is there."""
        return {}

    def time(self, _: Params) -> Json:
        """Return the venue's clock."""
        return {"serverTime": self._venue.now_ms()}

    def exchange_info(self, _: Params) -> Json:
        """Return limits and instruments."""
        return {
            "timezone": "UTC",
            "serverTime": self._venue.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": self._venue.limits.allowed.rows(),
            "exchangeFilters": [],
            "assets": [{"asset": QUOTE, "marginAvailable": True, "autoAssetExchange": "-10000"}],
            "symbols": [_symbol(spec) for spec in self._venue.specs.values()],
        }

    def depth(self, params: Params) -> Json:
        """Return a book."""
        coin, limit = self._venue.coin(params), params.whole("limit", 500)
        if limit not in _DEPTHS:
            raise RefusedError(-4021, f"{limit} is not valid depth limit.")
        book = self._venue.exchange.book(coin, limit)
        return views.depth(book, self._venue.specs[coin], self._books.stamp(coin), self._venue.now_ms())

    def klines(self, params: Params) -> list[list[object]]:
        """Return bars, oldest first: from `startTime` on, else the newest."""
        coin, interval = self._venue.coin(params), params.choice("interval", INTERVALS)
        limit = min(params.whole("limit", 500), 1_500)
        start, end = params.find_whole("startTime"), params.whole("endTime", self._venue.now_ms())
        since = start if start is not None else end - limit * interval_ms(interval)
        bars = self._venue.exchange.candles(coin, interval, since, end)
        return [views.kline(bar) for bar in (bars[:limit] if start is not None else bars[-limit:])]

    def aggregate_trades(self, params: Params) -> list[Json]:
        """Return public trades, oldest first."""
        coin, limit = self._venue.coin(params), min(params.whole("limit", 500), _MOST_TRADES)
        start, end, first = params.whole("startTime", 0), params.find_whole("endTime"), params.whole("fromId", 0)
        found = [
            trade
            for trade in reversed(self._venue.exchange.trades(coin, _MOST_TRADES * 10))
            if trade.time_ms >= start and (end is None or trade.time_ms <= end) and trade.tid >= first
        ]
        page = found[:limit] if start or first else found[-limit:]
        return [views.aggregate_trade(trade, self._venue.specs[coin]) for trade in page]

    def trades(self, params: Params) -> list[Json]:
        """Return the newest public trades, oldest first."""
        coin, limit = self._venue.coin(params), min(params.whole("limit", 500), _MOST_TRADES)
        newest = self._venue.exchange.trades(coin, limit)
        return [views.recent_trade(trade, self._venue.specs[coin]) for trade in reversed(newest)]

    def ticker_day(self, params: Params) -> Json | list[Json]:
        """Return 24-hour statistics, of one symbol or all."""
        return self._one_or_all(params, self.day)

    def ticker_price(self, params: Params) -> Json | list[Json]:
        """Return last prices, of one symbol or all."""
        return self._one_or_all(params, lambda coin: self._last(coin) | {"time": self._venue.now_ms()})

    def ticker_book(self, params: Params) -> Json | list[Json]:
        """Return best quotes, of one symbol or all."""
        return self._one_or_all(params, self.best_quote)

    def premium_index(self, params: Params) -> Json | list[Json]:
        """Return marks and funding, of one symbol or all."""
        return self._one_or_all(params, self.premium)

    def funding_rates(self, params: Params) -> list[Json]:
        """Return paid rates, oldest first."""
        limit = min(params.whole("limit", 100), 1_000)
        start, end = params.find_whole("startTime"), params.find_whole("endTime")
        rows = [
            (rate.time_ms, coin, rate)
            for coin in self._venue.coins_asked(params)
            for rate in self._venue.exchange.funding_history(coin, start or 0, end)
        ]
        rows.sort(key=lambda row: row[:2])
        page = rows[:limit] if start is not None else rows[-limit:]
        return [
            {
                "symbol": symbol_of(coin),
                "fundingTime": time_ms,
                "fundingRate": f"{rate.rate:f}",
                "markPrice": money(self._venue.funding_price(coin, time_ms)),
            }
            for time_ms, coin, rate in page
        ]

    def funding_info(self, _: Params) -> list[Json]:
        """Return how often funding is paid: every hour here, where the venue has eight hours for most."""
        caps = {"adjustedFundingRateCap": "0.02000000", "adjustedFundingRateFloor": "-0.02000000"}
        more = {"fundingIntervalHours": 1, "disclaimer": False}
        return [{"symbol": symbol_of(coin), **caps, **more} for coin in self._venue.specs]

    def open_interest(self, params: Params) -> Json:
        """Return the open interest of a symbol."""
        coin = self._venue.coin(params)
        interest = self._venue.exchange.asset_context(coin).open_interest
        return {"openInterest": text(interest), "symbol": symbol_of(coin), "time": self._venue.now_ms()}

    def premium(self, coin: str) -> Json:
        """Return mark, index and funding of one coin."""
        context, now = self._venue.exchange.asset_context(coin), self._venue.now_ms()
        return {
            "symbol": symbol_of(coin),
            "markPrice": money(context.mark),
            "indexPrice": money(context.oracle),
            "estimatedSettlePrice": money(context.oracle),
            "lastFundingRate": f"{context.funding:f}",
            "interestRate": "0.00010000",
            "nextFundingTime": next_funding_ms(now),
            "time": now,
        }

    def best_quote(self, coin: str) -> Json:
        """Return the best quotes of one coin."""
        book, spec = self._venue.exchange.book(coin, 1), self._venue.specs[coin]
        row: Json = {"symbol": symbol_of(coin)}
        for name, side in (("bid", book.bids), ("ask", book.asks)):
            row[f"{name}Price"] = price(spec, side[0].price) if side else "0"
            row[f"{name}Qty"] = text(side[0].size) if side else "0"
        return row | {"time": self._venue.now_ms(), "lastUpdateId": self._books.last(coin)}

    def _one_or_all(self, params: Params, row: Callable[[str], Json]) -> Json | list[Json]:
        if params.find("symbol") is not None:
            return row(self._venue.coin(params))
        return [row(coin) for coin in self._venue.specs]

    def _last(self, coin: str) -> Json:
        newest = self._venue.exchange.trades(coin, 1)
        last = newest[0].price if newest else self._venue.exchange.mark(coin)
        return {"symbol": symbol_of(coin), "price": price(self._venue.specs[coin], last)}

    def day(self, coin: str) -> Json:
        """Return 24-hour statistics of one coin."""
        context, now = self._venue.exchange.asset_context(coin), self._venue.now_ms()
        newest = self._venue.exchange.trades(coin, _MOST_TRADES)
        last = newest[0].price if newest else context.mark
        return day_row(context, last, text(newest[0].size) if newest else "0", self._venue.specs[coin], now) | {
            "firstId": newest[-1].tid if newest else -1,
            "lastId": newest[0].tid if newest else -1,
            "count": len(newest),
        }


def day_row(context: AssetContext, last: Decimal, last_size: str, spec: InstrumentSpec, now_ms: int) -> Json:
    """Return 24-hour statistics of one coin, without the trade ids."""
    opened, volume = context.prev_day_px, context.day_base_volume
    change = last - opened
    average = context.day_notional_volume / volume if volume else last
    return {
        "symbol": symbol_of(context.coin),
        "priceChange": price(spec, change),
        "priceChangePercent": f"{change / opened * 100:.3f}",
        "weightedAvgPrice": price(spec, average),
        "lastPrice": price(spec, last),
        "lastQty": last_size,
        "openPrice": price(spec, opened),
        "highPrice": price(spec, max(opened, last)),
        "lowPrice": price(spec, min(opened, last)),
        "volume": text(volume),
        "quoteVolume": money(context.day_notional_volume),
        "openTime": now_ms - _DAY_MS,
        "closeTime": now_ms,
    }


def next_funding_ms(now_ms: int) -> int:
    """Return when funding is paid next."""
    return (now_ms // HOUR_MS + 1) * HOUR_MS


def _symbol(spec: InstrumentSpec) -> Json:
    tick, lot = tick_of(spec), spec.lot
    sizes = {"maxQty": "1000000", "minQty": text(lot), "stepSize": text(lot)}
    band = {"multiplierUp": text(1 + BAND), "multiplierDown": text(1 - BAND), "multiplierDecimal": "4"}
    return {
        "symbol": symbol_of(spec.coin),
        "pair": symbol_of(spec.coin),
        "contractType": "PERPETUAL",
        "deliveryDate": _PERPETUAL_ENDS_MS,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": spec.coin,
        "quoteAsset": QUOTE,
        "marginAsset": QUOTE,
        "pricePrecision": max(0, -int(tick.as_tuple().exponent)),
        "quantityPrecision": spec.sz_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": text(BAND),
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {"filterType": "PRICE_FILTER", "maxPrice": "10000000", "minPrice": text(tick), "tickSize": text(tick)},
            {"filterType": "LOT_SIZE", **sizes},
            {"filterType": "MARKET_LOT_SIZE", **sizes},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": text(spec.min_notional)},
            {"filterType": "PERCENT_PRICE", **band},
        ],
        "orderTypes": _ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }
