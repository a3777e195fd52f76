"""What Phemex tells everybody. Prices come in another envelope than the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apps.exchanges.mock.engine.api import Candle
from apps.exchanges.mock.wire.phemex import views_market
from apps.exchanges.mock.wire.phemex.fields import coin_named, coin_of, text, whole
from apps.exchanges.mock.wire.phemex.products import products
from apps.exchanges.mock.wire.phemex.refusals import ARGUMENTS, MARKET_DATA, RefusedError
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.phemex.words import INTERVALS
from apps.exchanges.mock.wire.port import Json

MARKET_DATA_PATHS = "/md/"
_MOST_TRADES, _MOST_LAST, _MOST_LISTED, _MOST_RATES = 200, 1_000, 2_000, 100
Answer = Callable[[Json], Any]


class MarketReads:
    """The public endpoints; each takes the query and returns the `data` or `result` of the answer."""

    def __init__(self, venue: Venue) -> None:
        """Answer about `venue`."""
        self._venue, self._exchange = venue, venue.exchange
        rates = "/api-data/public/data/funding-rate-history"
        self.answers: Mapping[str, Answer] = {
            "/public/time": self._time,
            "/public/products": self._products,
            "/exchange/public/products": self._contracts,
            "/v1/exchange/public/products": self._contracts,
            "/md/v2/ticker/24hr": self._ticker_v2,
            "/md/v2/ticker/24hr/all": self._tickers_v2,
            "/md/v3/ticker/24hr": self._ticker_v3,
            "/md/v3/ticker/24hr/all": self._tickers_v3,
            "/md/v2/orderbook": self._book,
            "/md/v2/trade": self._trades,
            "/exchange/public/md/v2/kline/last": self._last_klines,
            "/exchange/public/md/v2/kline/list": self._listed_klines,
            rates: self._funding_rates,
            f"/v1{rates}": self._funding_rates,
        }

    def ticker(self, coin: str) -> dict[str, str]:
        """Return what all tickers of a coin are made of."""
        book, last = self._exchange.book(coin, 1), next(iter(self._exchange.trades(coin, 1)), None)
        bid, ask = next(iter(book.bids), None), next(iter(book.asks), None)
        return views_market.ticker(self._exchange.asset_context(coin), last, bid, ask)

    def _time(self, _: Json) -> Any:  # noqa: ANN401 - any JSON
        return {"serverTime": self._venue.now_ms()}

    def _products(self, _: Json) -> Any:  # noqa: ANN401 - any JSON
        return products(self._venue.specs.values())

    def _contracts(self, _: Json) -> Any:  # noqa: ANN401 - any JSON
        """The older list knows contracts that settle in coins, of which there are none here."""
        return []

    def _ticker_v2(self, query: Json) -> Any:  # noqa: ANN401 - any JSON
        return views_market.ticker_v2(self.ticker(self._market_coin(query)), self._venue.now_ns())

    def _tickers_v2(self, _: Json) -> Any:  # noqa: ANN401 - any JSON
        now = self._venue.now_ns()
        return [views_market.ticker_v2(self.ticker(coin), now) for coin in sorted(self._venue.coins)]

    def _ticker_v3(self, query: Json) -> Any:  # noqa: ANN401 - any JSON
        return {**self.ticker(self._market_coin(query)), "timestamp": self._venue.now_ns()}

    def _tickers_v3(self, _: Json) -> Any:  # noqa: ANN401 - any JSON
        now = self._venue.now_ns()
        return [{**self.ticker(coin), "timestamp": now} for coin in sorted(self._venue.coins)]

    def _book(self, query: Json) -> Any:  # noqa: ANN401 - any JSON
        view = self._exchange.book(self._market_coin(query), views_market.DEPTH)
        return views_market.book(view, self._venue.next_sequence())

    def _trades(self, query: Json) -> Any:  # noqa: ANN401 - any JSON
        coin = self._market_coin(query)
        found = self._exchange.trades(coin, _MOST_TRADES)
        return views_market.trades(coin, found, self._venue.next_sequence(), "snapshot")

    def _last_klines(self, query: Json) -> Any:  # noqa: ANN401 - any JSON
        coin, seconds = coin_of(query, self._venue.coins), self._resolution(query)
        limit = whole(query, "limit", 5, _MOST_LAST)
        return self._page(self._exchange.candles(coin, INTERVALS[seconds], 0, self._venue.now_ms())[-limit:])

    def _listed_klines(self, query: Json) -> Any:  # noqa: ANN401 - any JSON
        coin, seconds = coin_of(query, self._venue.coins), self._resolution(query)
        for name in ("from", "to"):
            if not query.get(name):
                raise RefusedError(412, f"Missing parameter - {name}")
        first, end = whole(query, "from", 0), whole(query, "to", 0)
        if (end - first) // seconds > _MOST_LISTED:
            raise RefusedError(30_018, "phemex.data.size.uplimt")
        return self._page(self._exchange.candles(coin, INTERVALS[seconds], first * 1000, end * 1000 - 1))

    def _funding_rates(self, query: Json) -> Any:  # noqa: ANN401 - any JSON
        symbol = text(query, "symbol")
        coin = coin_named(symbol.removeprefix(".").removesuffix("FR8H"), self._venue.coins)
        first, last = whole(query, "start", 0), whole(query, "end", self._venue.now_ms())
        rates = self._exchange.funding_history(coin, first, last)
        limit = whole(query, "limit", _MOST_RATES, _MOST_RATES)
        chosen = rates[:limit] if "start" in query else rates[-limit:]
        return {"rows": [views_market.funding_rate(rate) for rate in chosen]}

    def _market_coin(self, query: Json) -> str:
        """Return the coin asked for; the market-data service has an error of its own."""
        try:
            return coin_of(query, self._venue.coins)
        except RefusedError:
            raise RefusedError(MARKET_DATA, "invalid argument") from None

    def _resolution(self, query: Json) -> int:
        if not query.get("resolution"):
            raise RefusedError(412, "Missing parameter - resolution")
        seconds = whole(query, "resolution", 0)
        if seconds not in INTERVALS:
            raise RefusedError(ARGUMENTS)
        return seconds

    def _page(self, candles: list[Candle]) -> Json:
        return {"total": -1, "rows": views_market.klines(candles)}
