"""What anybody may ask of the spot market.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

from apps.exchanges.mock.wire.binance import views
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.public import Public
from apps.exchanges.mock.wire.binance.refusals import RefusedError
from apps.exchanges.mock.wire.binance.spot.views import symbol
from apps.exchanges.mock.wire.binance.words import money, symbol_of
from apps.exchanges.mock.wire.port import Json

_MOST_LEVELS = 5_000


class SpotPublic(Public):
    """Answers without a key, in the words of the spot market where they differ."""

    def exchange_info(self, _: Params) -> Json:
        """Return limits and pairs."""
        return {
            "timezone": "UTC",
            "serverTime": self._venue.now_ms(),
            "rateLimits": self._venue.limits.allowed.rows(),
            "exchangeFilters": [],
            "symbols": [symbol(spec) for spec in self._venue.specs.values()],
        }

    def depth(self, params: Params) -> Json:
        """Return a book; any number of levels up to 5,000."""
        coin, limit = self._venue.coin(params), params.whole("limit", 100)
        if limit < 1:
            raise RefusedError(-1130, "Data sent for parameter 'limit' is not valid.")
        book, spec = self._venue.exchange.book(coin, min(limit, _MOST_LEVELS)), self._venue.specs[coin]
        sides = {"bids": views.levels(book.bids, spec), "asks": views.levels(book.asks, spec)}
        return {"lastUpdateId": self._books.stamp(coin), **sides}

    def average_price(self, params: Params) -> Json:
        """Return the price of late (GET /avgPrice)."""
        coin = self._venue.coin(params)
        return {"mins": 5, "price": money(self._venue.exchange.mark(coin)), "closeTime": self._venue.now_ms()}

    def aggregate_trades(self, params: Params) -> list[Json]:
        """Return public trades, oldest first."""
        return [{**row, "M": True} for row in super().aggregate_trades(params)]

    def trades(self, params: Params) -> list[Json]:
        """Return the newest public trades, oldest first."""
        return [{**row, "isBestMatch": True} for row in super().trades(params)]

    def ticker_book(self, params: Params) -> Json | list[Json]:
        """Return best quotes, of one pair or all."""
        names = ("symbol", "bidPrice", "bidQty", "askPrice", "askQty")

        def quote(coin: str) -> Json:
            row = self.best_quote(coin)
            return {name: row[name] for name in names}

        return self._one_or_all(params, quote)

    def ticker_price(self, params: Params) -> Json | list[Json]:
        """Return last prices, of one pair or all."""
        return self._one_or_all(params, self._last)

    def day(self, coin: str) -> Json:
        """Return 24-hour statistics of one pair, with its best quotes."""
        quote = self.best_quote(coin)
        names = ("bidPrice", "bidQty", "askPrice", "askQty")
        row = {**super().day(coin), "symbol": symbol_of(coin), **{name: quote[name] for name in names}}
        return {**row, "prevClosePrice": row["openPrice"]}
