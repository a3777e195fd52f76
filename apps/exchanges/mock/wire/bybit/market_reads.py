"""What Bybit tells everybody about its market."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from apps.exchanges.mock.wire.bybit import market_views
from apps.exchanges.mock.wire.bybit.fields import (
    coin_of,
    optional_text,
    require_linear,
    text,
    whole,
)
from apps.exchanges.mock.wire.bybit.refusals import PARAMETER, RefusedError
from apps.exchanges.mock.wire.bybit.venue import Venue
from apps.exchanges.mock.wire.bybit.words import (
    CATEGORY,
    INTERVALS,
    OTHER_CATEGORIES,
    plain,
    symbol_of,
)
from apps.exchanges.mock.wire.port import Json

T = TypeVar("T")
Answer = Callable[[Json], Json]
AccountAnswer = Callable[[str, Json], Json]
_WEEK_MS = 7 * 86_400_000


class MarketReads:
    """The public endpoints; each takes the query and returns the `result`."""

    def __init__(self, venue: Venue) -> None:
        """Answer about `venue`."""
        self._venue, self._exchange = venue, venue.exchange
        self.answers: Mapping[str, Answer] = {
            "/v5/market/time": self._time,
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/tickers": self._tickers,
            "/v5/market/orderbook": self._book,
            "/v5/market/kline": self._klines,
            "/v5/market/mark-price-kline": self._price_klines,
            "/v5/market/index-price-kline": self._price_klines,
            "/v5/market/risk-limit": self._risk_limits,
            "/v5/market/open-interest": self._open_interest,
            "/v5/system/status": self._status,
            "/v5/market/recent-trade": self._trades,
            "/v5/market/funding/history": self._funding,
        }

    def _time(self, _: Json) -> Json:
        now = self._venue.now_ms()
        return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}

    def _instruments(self, query: Json) -> Json:
        category = text(query, "category")
        wanted, state = optional_text(query, "symbol"), optional_text(query, "status")
        here = category == CATEGORY and state in ("", "Trading")
        found = [market_views.instrument(spec) for spec in self._venue.specs.values()] if here else []
        rows = [row for row in found if wanted in ("", row["symbol"])]
        return {"category": category, "list": rows, "nextPageCursor": ""}

    def _tickers(self, query: Json) -> Json:
        category = text(query, "category")
        if category in OTHER_CATEGORIES:
            return {"category": category, "list": []}
        require_linear(query)
        coins = [coin_of(query, self._venue.coins)] if optional_text(query, "symbol") else sorted(self._venue.coins)
        return {"category": CATEGORY, "list": [self._venue.ticker_row(coin) for coin in coins]}

    def _book(self, query: Json) -> Json:
        require_linear(query)
        coin = coin_of(query, self._venue.coins)
        book = self._exchange.book(coin, whole(query, "limit", 25, 500))
        sides = [[[plain(level.price), plain(level.size)] for level in side] for side in (book.bids, book.asks)]
        now = self._venue.now_ms()
        return {"s": symbol_of(coin), "b": sides[0], "a": sides[1], "ts": now, "u": now, "seq": now, "cts": now}

    def _klines(self, query: Json) -> Json:
        require_linear(query)
        coin, word = coin_of(query, self._venue.coins), text(query, "interval")
        if word not in INTERVALS:
            raise RefusedError(PARAMETER, "params error: interval invalid")
        limit = whole(query, "limit", 200, 1000)
        start, end = whole(query, "start", 0), whole(query, "end", self._venue.now_ms())
        found = self._exchange.candles(coin, INTERVALS[word], start, end)
        # A start without an end asks for the first bars from there on; everything else for the newest.
        chosen = found[:limit] if "start" in query and "end" not in query else found[-limit:]
        return {
            "symbol": symbol_of(coin),
            "category": CATEGORY,
            "list": [market_views.kline(bar) for bar in reversed(chosen)],
        }

    def _price_klines(self, query: Json) -> Json:
        """Tell bars of the mark or the index; bars of trades stand for them, no others are kept here."""
        told = self._klines(query)
        return {**told, "list": [row[:5] for row in told["list"]]}

    def _risk_limits(self, query: Json) -> Json:
        """Tell the one tier there is of each instrument."""
        require_linear(query)
        coins = [coin_of(query, self._venue.coins)] if optional_text(query, "symbol") else sorted(self._venue.coins)
        rows = [market_views.risk_limit(self._venue.specs[coin]) for coin in coins]
        return {"category": CATEGORY, "list": rows, "nextPageCursor": ""}

    def _open_interest(self, query: Json) -> Json:
        """Tell the open interest now; none is kept of the past."""
        require_linear(query)
        coin = coin_of(query, self._venue.coins)
        text(query, "intervalTime")
        held = plain(self._exchange.asset_context(coin).open_interest)
        row = {"openInterest": held, "timestamp": str(self._venue.now_ms())}
        return {"symbol": symbol_of(coin), "category": CATEGORY, "list": [row], "nextPageCursor": ""}

    def _status(self, _: Json) -> Json:
        return {"list": []}

    def _trades(self, query: Json) -> Json:
        require_linear(query)
        coin = coin_of(query, self._venue.coins)
        found = self._exchange.trades(coin, whole(query, "limit", 500, 1000))
        return {"category": CATEGORY, "list": [market_views.recent_trade(trade) for trade in found]}

    def _funding(self, query: Json) -> Json:
        require_linear(query)
        coin = coin_of(query, self._venue.coins)
        start, end = whole(query, "startTime", 0), whole(query, "endTime", self._venue.now_ms())
        rates = self._exchange.funding_history(coin, start, end)[-whole(query, "limit", 200, 200) :]
        rows = [
            {
                "symbol": symbol_of(coin),
                "fundingRate": plain(rate.rate),
                "fundingRateTimestamp": str(rate.time_ms),
            }
            for rate in reversed(rates)
        ]
        return {"category": CATEGORY, "list": rows}
