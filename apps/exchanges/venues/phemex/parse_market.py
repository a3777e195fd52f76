"""Phemex's public data as domain values. Pure: text or messages in, domain out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

import msgspec
import numpy as np

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.market_data.book import DepthBook
from apps.exchanges.market_data.book import Level as NumberedLevel
from apps.exchanges.ports import CandleUpdate, MarkUpdate, TradeBatch
from apps.exchanges.venues.phemex.messages import (
    BookMessage,
    FundingRates,
    KlineRow,
    Klines,
    Level,
    MarketAnswer,
    TickerRow,
)
from apps.exchanges.venues.phemex.stream_messages import KlineMessage, PackMessage, TradesMessage, TradeTuple
from apps.exchanges.venues.phemex.words import NS_PER_MS, data, moment, number, side
from apps.exchanges.venues.rows import reading
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Book, TradeTick
from moondev.domain.values import Price

T = TypeVar("T")

# https://phemex-docs.github.io/#query-kline; months and longer are left out because their length varies.
INTERVALS: Mapping[timedelta, int] = MappingProxyType(
    {
        timedelta(seconds=seconds): seconds
        for seconds in (60, 180, 300, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400, 604_800)
    }
)
# The rate is told for a funding interval, which no price message names; most symbols pay every eight hours.
FUNDING_HOURS = 8
_BOOK_DEPTH = 30


def seconds_of(interval: timedelta) -> int:
    """Return what the venue calls bars of this length. Raises InvalidValue when it has none."""
    seconds = INTERVALS.get(interval)
    if seconds is None:
        raise InvalidValue("interval", str(interval), ", ".join(map(str, INTERVALS)))
    return seconds


def result(what: str, text: str, shape: type[T]) -> T:
    """Return what an answer about prices carries, checked against `shape`. Raises ParseError."""
    with reading(what, text):
        return msgspec.json.decode(text, type=MarketAnswer[shape]).result  # type: ignore[valid-type]  # known at run time


def levels(side_of_book: Iterable[Level]) -> Iterator[NumberedLevel]:
    """Return prices and sizes as numbers. Raises InvalidValue for what is none."""
    for price, size in side_of_book:
        yield _float("price", price), _float("size", size)


def book_answer(text: str, received: datetime) -> Book:
    """Return the book of an answer over HTTP."""
    message = result("book", text, BookMessage)
    with reading("book", text):
        book = DepthBook()
        book.replace(levels(message.orderbook_p.bids), levels(message.orderbook_p.asks))
        return book.top(_BOOK_DEPTH, moment(message.timestamp), received)


def candles(texts: Iterable[str], interval: timedelta) -> BarSeries:
    """Return the bars of kline answers, oldest first, each once (the newest report wins)."""
    rows: dict[int, tuple[float, ...]] = {}
    for text in texts:
        found = data("candles", text, Klines).rows
        with reading("candles", text):
            rows |= {row[0] * 1000: _bar(row) for row in found}
    table = np.array([rows[stamp] for stamp in sorted(rows)], dtype=np.float64).reshape(-1, 5)
    stamps = np.array(sorted(rows), dtype=np.int64)
    with reading("candles", "bars that contradict themselves"):
        return BarSeries(interval, stamps, *(table[:, column] for column in range(5)))


def funding_rates(text: str) -> list[FundingRate]:
    """Return the rates of a funding-rate-history answer, oldest first."""
    rows = data("funding rates", text, FundingRates).rows
    with reading("funding rates", text):
        rates = [
            FundingRate(from_milliseconds(row.fundingTime), float(number("fundingRate", row.fundingRate)))
            for row in rows
        ]
        return sorted(rates, key=lambda rate: rate.time_exchange)


def marks(text: str) -> dict[str, Price]:
    """Return the mark prices of an answer about all tickers."""
    rows = result("marks", text, list[TickerRow])
    with reading("marks", text):
        return {row.symbol: Price(number("markPriceRp", row.markPriceRp)) for row in rows}


@dataclass(slots=True)
class TradeNames:
    """Names for the trades of one symbol, of which the venue gives none: the instant, and the place within it."""

    newest_ns: int = 0
    place: int = 0

    def unheard(self, message: TradesMessage) -> Iterator[tuple[str, TradeTuple]]:
        """Yield the trades of a message that were not heard before, oldest first, each with its name.

        A history is repeated on every subscription: of it only what is newer than the last trade heard is news, and
        to who has heard none it is all past.
        """
        history = message.type == "snapshot"
        for trade in reversed(message.trades_p):
            stamp = trade[0]
            if history and not 0 < self.newest_ns < stamp:
                continue
            self.place = self.place + 1 if stamp == self.newest_ns else 0
            self.newest_ns = max(self.newest_ns, stamp)
            yield f"{stamp}-{self.place}", trade


def trades(message: TradesMessage, names: TradeNames, received: datetime) -> TradeBatch | None:
    """Return the event of a message with trades, oldest first; None when all of them were heard before."""
    ticks = [
        TradeTick(
            symbol=message.symbol,
            trade_id=name,
            side=side(word),
            price=_above_zero("price", price),
            size=_above_zero("size", size),
            time_exchange=from_milliseconds(stamp // NS_PER_MS),
            time_received=received,
        )
        for name, (stamp, word, price, size) in names.unheard(message)
    ]
    return TradeBatch(message.symbol, tuple(ticks)) if ticks else None


def candle(message: KlineMessage, row: KlineRow, received: datetime) -> CandleUpdate:
    """Return the event of one bar; the venue has no flag that a bar is closed."""
    interval = timedelta(seconds=row[1])
    if interval not in INTERVALS:
        raise InvalidValue("interval", row[1], ", ".join(map(str, INTERVALS.values())))
    opened, high, low, closed, volume = _bar(row)
    if not low <= min(opened, closed) <= max(opened, closed) <= high:
        raise InvalidValue("bar", row, "high >= open, close >= low")
    return CandleUpdate(
        symbol=message.symbol,
        interval=interval,
        opened_ms=row[0] * 1000,
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=volume,
        closed=False,
        time_received=received,
    )


def pack(message: PackMessage, wanted: frozenset[str], received: datetime) -> list[MarkUpdate]:
    """Return the marks of the symbols in `wanted`; the columns are found by the names the message brings."""
    columns = {name: place for place, name in enumerate(message.fields)}
    missing = {"symbol", "markRp", "indexRp", "fundingRateRr"} - set(columns)
    if missing:
        raise InvalidValue("fields", sorted(missing), "the names of all columns")
    return [
        MarkUpdate(
            symbol=row[columns["symbol"]],
            mark_price=_above_zero("markRp", row[columns["markRp"]]),
            oracle_price=_above_zero("indexRp", row[columns["indexRp"]]),
            funding_rate=_float("fundingRateRr", row[columns["fundingRateRr"]]) / FUNDING_HOURS,
            time_received=received,
        )
        for row in message.data
        if len(row) > max(columns.values()) and row[columns["symbol"]] in wanted
    ]


def _bar(row: KlineRow) -> tuple[float, float, float, float, float]:
    """Return open, high, low, close and volume; the close of the bar before stands before them."""
    opened, high, low, closed = (_above_zero("price", text) for text in row[3:7])
    return opened, high, low, closed, _not_below_zero("volume", row[7])


def _above_zero(field: str, text: str) -> float:
    value = _float(field, text)
    if not value > 0:
        raise InvalidValue(field, text, "a number above 0")
    return value


def _not_below_zero(field: str, text: str) -> float:
    value = _float(field, text)
    if not value >= 0:
        raise InvalidValue(field, text, "a number of 0 or more")
    return value


def _float(field: str, text: str) -> float:
    """Return a finite number. Written out, because "nan" and "1_0" are numbers to `float`."""
    if "_" in text or not text.isascii():
        raise InvalidValue(field, text, "a number")
    try:
        value = float(text)
    except ValueError:
        raise InvalidValue(field, text, "a number") from None
    if not math.isfinite(value):
        raise InvalidValue(field, text, "a finite number")
    return value
