"""Bybit's public data as domain values. Pure: text in, domain out.

Prices and sizes are texts at this venue; they are read as floats by msgspec, which takes plain numbers alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

import msgspec
import numpy as np

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.market_data.book import DepthBook
from apps.exchanges.ports import CandleUpdate, Listing, TradeBatch
from apps.exchanges.venues.bybit.config import QUOTE_CURRENCY
from apps.exchanges.venues.bybit.fields import money, number, optional_number, side
from apps.exchanges.venues.bybit.messages import (
    BookResult,
    FundingRateRow,
    InstrumentRow,
    KlineNews,
    KlineResult,
    MarkRow,
    RecentTrade,
    TradeNews,
)
from apps.exchanges.venues.bybit.parse import answer, page
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Book, TradeTick
from moondev.domain.values import Price, Quantity

T = TypeVar("T")

BOOK_DEPTH = 50
# https://bybit-exchange.github.io/docs/v5/enum#interval; six hours and a month are missing in what others have.
INTERVALS = MappingProxyType(
    {
        "1": timedelta(minutes=1),
        "3": timedelta(minutes=3),
        "5": timedelta(minutes=5),
        "15": timedelta(minutes=15),
        "30": timedelta(minutes=30),
        "60": timedelta(hours=1),
        "120": timedelta(hours=2),
        "240": timedelta(hours=4),
        "360": timedelta(hours=6),
        "720": timedelta(hours=12),
        "D": timedelta(days=1),
        "W": timedelta(weeks=1),
    }
)
_NAMES = MappingProxyType({length: name for name, length in INTERVALS.items()})
_PERPETUAL, _TRADING = "LinearPerpetual", "Trading"


def interval_name(interval: timedelta) -> str:
    """Return what the venue calls bars of this length. Raises InvalidValue when it has none."""
    name = _NAMES.get(interval)
    if name is None:
        raise InvalidValue("interval", str(interval), ", ".join(map(str, _NAMES)))
    return name


def listings(items: Sequence[object], venue_code: str) -> Rows[Listing]:
    """Return the perpetuals quoted in our currency that are traded now; the number of each is its place in the list."""
    found = rows("instrument", items, InstrumentRow, lambda row: _instrument(row, venue_code))
    wanted = [instrument for instrument in found.read if instrument is not None]
    return Rows(tuple(Listing(one, number_) for number_, one in enumerate(wanted)), found.unreadable)


def marks(text: str) -> Rows[tuple[str, Price]]:
    """Return the mark of every symbol that has one."""
    items, _ = page("tickers", text)
    return rows("ticker", items, MarkRow, lambda row: (row.symbol, Price(number("markPrice", row.markPrice))))


def book_answer(text: str, received: datetime) -> Book:
    """Return the book of an orderbook answer."""
    with reading("book", text):
        result = _result(text, BookResult)
        depth = DepthBook()
        depth.replace(result.b, result.a)
        return depth.top(BOOK_DEPTH, from_milliseconds(result.ts), received)


def candles(text: str, interval: timedelta) -> BarSeries:
    """Return the bars of a kline answer, oldest first, each once."""
    with reading("candles", text):
        bars = {row[0]: row[1:6] for row in _result(text, KlineResult).rows}
        table = np.array([bars[stamp] for stamp in sorted(bars)], dtype=np.float64).reshape(-1, 5)
        if not np.isfinite(table).all() or (table[:, 4] < 0).any():
            raise InvalidValue("candles", "a number", "finite prices, and volumes of 0 or more")
        stamps = np.array(sorted(bars), dtype=np.int64)
        return BarSeries(interval, stamps, *(table[:, column] for column in range(5)))


def funding_rates(text: str) -> list[FundingRate]:
    """Return the rates of a funding/history answer, oldest first."""
    items, _ = page("funding rates", text)
    with reading("funding rates", text):
        found = [_rate(row) for row in msgspec.convert(items, list[FundingRateRow])]
        return sorted(found, key=lambda rate: rate.time_exchange)


def recent_trades(text: str, received: datetime) -> list[TradeTick]:
    """Return the trades of a recent-trade answer, oldest first."""
    items, _ = page("trades", text)
    with reading("trades", text):
        found = [
            _tick(row.symbol, row.execId, row.side, row.price, row.size, row.time, received)
            for row in msgspec.convert(items, list[RecentTrade], strict=False)
        ]
        return sorted(found, key=lambda tick: tick.time_exchange)


def trades(news: Sequence[TradeNews], received: datetime) -> TradeBatch:
    """Return the event of a publicTrade message that is not empty, oldest first."""
    ticks = [_tick(row.s, row.i, row.S, row.p, row.v, row.T, received) for row in news]
    return TradeBatch(news[0].s, tuple(sorted(ticks, key=lambda tick: tick.time_exchange)))


def candle(symbol: str, news: KlineNews, received: datetime) -> CandleUpdate:
    """Return the event of one bar of a kline message."""
    interval = INTERVALS.get(news.interval)
    if interval is None:
        raise InvalidValue("interval", news.interval, ", ".join(INTERVALS))
    opened, high, low, close = (positive(name, getattr(news, name)) for name in ("open", "high", "low", "close"))
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise InvalidValue("kline", (opened, high, low, close), "high >= open, close >= low")
    if not 0 <= news.volume < math.inf:
        raise InvalidValue("volume", news.volume, "a finite number of 0 or more")
    return CandleUpdate(symbol, interval, news.start, opened, high, low, close, news.volume, news.confirm, received)


def positive(field: str, value: float) -> float:
    """Return a price or size. Raises InvalidValue for zero, NaN and infinity."""
    if not 0 < value < math.inf:
        raise InvalidValue(field, value, "a finite number above 0")
    return value


def oldest(ticks: Iterable[TradeTick]) -> datetime | None:
    """Return when the first of some trades happened."""
    return min((tick.time_exchange for tick in ticks), default=None)


def _result(text: str, shape: type[T]) -> T:
    return msgspec.convert(answer("answer", text).result, shape, strict=False)


def _tick(symbol: str, name: str, word: str, price: float, size: float, at: int, received: datetime) -> TradeTick:
    return TradeTick(
        symbol=symbol,
        trade_id=name,
        side=side(word),
        price=positive("price", price),
        size=positive("size", size),
        time_exchange=from_milliseconds(at),
        time_received=received,
    )


def _rate(row: FundingRateRow) -> FundingRate:
    at = from_milliseconds(int(number("fundingRateTimestamp", row.fundingRateTimestamp)))
    return FundingRate(at, float(number("fundingRate", row.fundingRate)))


def _instrument(row: InstrumentRow, venue_code: str) -> Instrument | None:
    wanted = (_PERPETUAL, _TRADING, QUOTE_CURRENCY, QUOTE_CURRENCY)
    if (row.contractType, row.status, row.quoteCoin, row.settleCoin) != wanted:
        return None
    least = optional_number("minNotionalValue", row.lotSizeFilter.minNotionalValue) or Decimal(0)
    # Limit orders may be larger. Source: https://bybit-exchange.github.io/docs/v5/market/instrument
    most = optional_number("maxMktOrderQty", row.lotSizeFilter.maxMktOrderQty)
    return Instrument(
        venue=venue_code,
        symbol=row.symbol,
        asset=row.baseCoin,
        quote=QUOTE_CURRENCY,
        price_grid=PriceGrid(number("tickSize", row.priceFilter.tickSize)),
        lot=Quantity(number("qtyStep", row.lotSizeFilter.qtyStep)),
        min_notional=money("minNotionalValue", f"{least:f}"),
        max_leverage=max(1, int(number("maxLeverage", row.leverageFilter.maxLeverage))),
        max_market_quantity=Quantity(most) if most else None,
    )
