"""POST /info about the market: instruments, books, prices, bars, funding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from itertools import groupby
from typing import TypeAlias

from apps.exchanges.mock.engine.api import BookView, LevelView
from apps.exchanges.mock.engine.bars import INTERVALS
from apps.exchanges.mock.wire.hyperliquid import views
from apps.exchanges.mock.wire.hyperliquid.numbers import wire, wire_places
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, field, json_object, optional
from apps.exchanges.mock.wire.hyperliquid.venue import Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json

InfoHandler: TypeAlias = Callable[[Json], object]
DEPTH = 20
_MOST_CANDLES = 5_000
_MOST_FUNDING = 500
_RECENT_TRADES = 10


class MarketInfo:
    """The info types that name no user. There is one perp dex, the venue's own."""

    def __init__(self, venue: Venue) -> None:
        """Answer about `venue`."""
        self._venue = venue
        self.handlers: Mapping[str, InfoHandler] = {
            "meta": self.meta,
            "metaAndAssetCtxs": self.meta_and_contexts,
            "spotMeta": lambda _: venue.spot.meta(),
            "spotMetaAndAssetCtxs": lambda _: [venue.spot.meta(), venue.spot.contexts()],
            "perpDexs": lambda _: [None],
            "allMids": self.mids,
            "l2Book": self._l2_book,
            "recentTrades": self._recent_trades,
            "candleSnapshot": self._candles,
            "fundingHistory": self._funding_history,
            "predictedFundings": self._predicted_fundings,
            "exchangeStatus": self._status,
            "perpsAtOpenInterestCap": lambda _: [],
            "perpDeployAuctionStatus": self._auction,
            "spotDeployState": lambda _: {"states": [], "gasAuction": self._auction({})},
        }

    def meta(self, request: Json) -> Json | None:
        """Return the rules of every perpetual, null for a dex that is not here."""
        if _other_dex(request):
            return None
        specs = self._venue.exchange.specs()
        tables = sorted({spec.max_leverage for spec in specs})
        return {
            "universe": [views.instrument(spec) for spec in specs],
            "marginTables": [views.margin_table(leverage) for leverage in tables],
            "collateralToken": 0,
        }

    def meta_and_contexts(self, request: Json) -> object:
        """Return meta and, in the same order, what is known about each coin now."""
        meta = self.meta(request)
        return None if meta is None else [meta, self.contexts()]

    def contexts(self) -> list[Json]:
        """Return the context of every coin, by asset id."""
        exchange = self._venue.exchange
        return [views.asset_context(exchange.asset_context(spec.coin)) for spec in exchange.specs()]

    def mids(self, request: Json) -> dict[str, str]:
        """Return every mid price; nothing for a dex that is not here."""
        if _other_dex(request):
            return {}
        return {coin: wire(mid) for coin, mid in self._venue.exchange.mids().items()}

    def book(self, request: Json) -> Json | None:
        """Return a book's top levels, thinned out when nSigFigs asks so; null for an unknown coin."""
        coin = field(request, "coin", str)
        if coin not in self._venue.assets:
            return None
        figures = optional(request, "nSigFigs", int)
        if figures is None:
            return views.book(self._venue.exchange.book(coin, DEPTH))
        mantissa = optional(request, "mantissa", int) or 1
        if figures not in range(2, 6) or mantissa not in {1, 2, 5}:
            raise MalformedError(f"nSigFigs must be 2 to 5 and mantissa 1, 2 or 5, got {figures} and {mantissa}")
        return views.book(thinned(self._venue.exchange.book(coin, None), figures, mantissa))

    def _l2_book(self, request: Json) -> object:
        return self.book(request)

    def _recent_trades(self, request: Json) -> list[Json] | None:
        coin = field(request, "coin", str)
        if coin not in self._venue.assets:
            return None
        return [views.public_trade(trade) for trade in self._venue.exchange.trades(coin, _RECENT_TRADES)]

    def _candles(self, request: Json) -> list[Json]:
        wanted = json_object(request.get("req"))
        coin, interval = field(wanted, "coin", str), field(wanted, "interval", str)
        start, end = field(wanted, "startTime", int), optional(wanted, "endTime", int)
        if interval not in INTERVALS:
            raise MalformedError(f"interval must be one of {', '.join(INTERVALS)}, got {interval!r}")
        if coin not in self._venue.assets:
            return []
        bars = self._venue.exchange.candles(coin, interval, start, self._venue.now_ms() if end is None else end)
        return [views.candle(bar) for bar in bars[-_MOST_CANDLES:]]

    def _funding_history(self, request: Json) -> list[Json]:
        coin, start = field(request, "coin", str), field(request, "startTime", int)
        if coin not in self._venue.perps:
            return []
        rates = self._venue.exchange.funding_history(coin, start, optional(request, "endTime", int))
        return [
            {
                "coin": rate.coin,
                "fundingRate": wire_places(rate.rate, 10),
                "premium": wire_places(rate.premium, 10),
                "time": rate.time_ms,
            }
            for rate in rates[:_MOST_FUNDING]
        ]

    def _predicted_fundings(self, _: Json) -> list[object]:
        hour = 3_600_000
        due = (self._venue.now_ms() // hour + 1) * hour
        return [
            [
                coin,
                [
                    [
                        "HlPerp",
                        {
                            "fundingRate": wire_places(self._venue.exchange.asset_context(coin).funding, 10),
                            "nextFundingTime": due,
                        },
                    ]
                ],
            ]
            for coin in self._venue.perps
        ]

    def _status(self, _: Json) -> Json:
        return {"specialStatuses": None, "time": self._venue.now_ms()}

    def _auction(self, _: Json) -> Json:
        seconds = self._venue.now_ms() // 1000
        return {
            "startTimeSeconds": seconds - seconds % 111_600,
            "durationSeconds": 111_600,
            "startGas": "500.0",
            "currentGas": "500.0",
            "endGas": None,
        }


def thinned(view: BookView, figures: int, mantissa: int) -> BookView:
    """Return `view` with its prices grouped on `figures` significant figures, in steps of `mantissa`.

    Bids are rounded down and asks up, so that no group promises a better price than it holds.
    """
    if not view.bids and not view.asks:
        return view
    top = (view.bids or view.asks)[0].price
    step = Decimal(1).scaleb(top.adjusted() - figures + 1) * mantissa
    bids, asks = _grouped(view.bids, step, ROUND_DOWN), _grouped(view.asks, step, ROUND_UP)
    return BookView(view.coin, view.time_ms, bids[:DEPTH], asks[:DEPTH])


def _grouped(levels: tuple[LevelView, ...], step: Decimal, rounding: str) -> tuple[LevelView, ...]:
    def price_of(view: LevelView) -> Decimal:
        return (view.price / step).to_integral_value(rounding) * step

    groups = []
    for price, members in groupby(levels, key=price_of):
        inside = list(members)
        size = sum((member.size for member in inside), Decimal(0))
        groups.append(LevelView(price, size, sum(member.orders for member in inside)))
    return tuple(groups)


def _other_dex(request: Json) -> bool:
    return bool(request.get("dex"))
