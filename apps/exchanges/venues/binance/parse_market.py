"""Binance's public data as domain values. Pure: text or messages in, domain out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.market_data.book import DepthBook, Level
from apps.exchanges.ports import BestQuoteUpdate, CandleUpdate, MarkUpdate, TradeBatch
from apps.exchanges.venues.binance.messages import AggregateTrade, DepthAnswer, FundingInfoRow, MarkRow
from apps.exchanges.venues.binance.parse import decoded, funding_rows, number
from apps.exchanges.venues.binance.stream_messages import BarEvent, MarkEvent, QuoteEvent, TradeEvent
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Book, BookLevel, Column, TradeTick
from moondev.domain.values import Price, Side

# https://developers.binance.com/docs/derivatives/usds-margined-futures/common-definition
INTERVALS = MappingProxyType(
    {
        "1m": timedelta(minutes=1),
        "3m": timedelta(minutes=3),
        "5m": timedelta(minutes=5),
        "15m": timedelta(minutes=15),
        "30m": timedelta(minutes=30),
        "1h": timedelta(hours=1),
        "2h": timedelta(hours=2),
        "4h": timedelta(hours=4),
        "8h": timedelta(hours=8),
        "12h": timedelta(hours=12),
        "1d": timedelta(days=1),
        "3d": timedelta(days=3),
        "1w": timedelta(weeks=1),
    }
)
_NAMES = MappingProxyType({length: name for name, length in INTERVALS.items()})
# What the venue pays by where fundingInfo does not name the symbol.
USUAL_FUNDING_HOURS = 8
_CANDLE_FIELDS = ("open", "high", "low", "close", "volume")


def interval_name(interval: timedelta) -> str:
    """Return what the venue calls bars of this length. Raises InvalidValue when it has none."""
    name = _NAMES.get(interval)
    if name is None:
        raise InvalidValue("interval", str(interval), ", ".join(INTERVALS))
    return name


def levels(side: Sequence[tuple[str, str]]) -> list[Level]:
    """Return prices and sizes as numbers. Raises InvalidValue for what is none."""
    return [(_float("price", price), _float("size", size)) for price, size in side]


def book_answer(text: str, depth: int, received: datetime) -> Book:
    """Return the book of a depth answer."""
    answer = decoded("book", text, DepthAnswer)
    with reading("book", text):
        book = DepthBook()
        book.replace(levels(answer.bids), levels(answer.asks))
        return book.top(depth, from_milliseconds(answer.T), received)


def best_quote(event: QuoteEvent, received: datetime) -> BestQuoteUpdate:
    """Return the event of a `bookTicker`. A side that is empty is told as zero. Raises InvalidValue when crossed."""
    bid, ask = _quote(event.bid, event.bid_size), _quote(event.ask, event.ask_size)
    if bid is not None and ask is not None and bid.price >= ask.price:
        raise InvalidValue("bookTicker", f"bid {bid.price} >= ask {ask.price}", "bid < ask")
    return BestQuoteUpdate(event.symbol, bid, ask, from_milliseconds(event.time), received)


def trade(event: TradeEvent, received: datetime) -> TradeBatch:
    """Return the event of an `aggTrade`: fills of one order at one price, as one trade."""
    made = AggregateTrade(event.number, event.price, event.size, event.time, event.buyer_made)
    return TradeBatch(event.symbol, (_tick(event.symbol, made, received),))


def candle(event: BarEvent, received: datetime) -> CandleUpdate:
    """Return the event of a `kline`, with the venue's own flag that the bar is closed."""
    bar = event.bar
    interval = INTERVALS.get(bar.interval)
    if interval is None:
        raise InvalidValue("interval", bar.interval, ", ".join(INTERVALS))
    return CandleUpdate(
        symbol=event.symbol,
        interval=interval,
        opened_ms=bar.opened_ms,
        open=_price("o", bar.open),
        high=_price("h", bar.high),
        low=_price("l", bar.low),
        close=_price("c", bar.close),
        volume=_size("v", bar.volume),
        closed=bar.closed,
        time_received=received,
    )


def mark(event: MarkEvent, funding_hours: int, received: datetime) -> MarkUpdate:
    """Return the event of a `markPriceUpdate`. The venue tells the rate of a whole interval; ours is by the hour."""
    return MarkUpdate(
        symbol=event.symbol,
        mark_price=_price("p", event.mark),
        oracle_price=_price("i", event.index),
        funding_rate=_float("r", event.rate) / funding_hours,
        time_received=received,
    )


def marks(text: str) -> Rows[tuple[str, Price]]:
    """Return symbol and mark price of every row of a premiumIndex answer."""
    items = decoded("marks", text, list[Any])
    return rows("mark", items, MarkRow, lambda row: (row.symbol, Price(number("markPrice", row.markPrice))))


def candles(text: str, interval: timedelta) -> BarSeries:
    """Return the bars of a klines answer, oldest first, each once (the last report wins)."""
    items = decoded("candles", text, list[list[Any]])
    with reading("candles", text):
        table = {_stamp(item): [_cell(name, item[n]) for n, name in enumerate(_CANDLE_FIELDS, 1)] for item in items}
        stamps = sorted(table)
        columns = np.array([table[stamp] for stamp in stamps], dtype=np.float64).reshape(-1, len(_CANDLE_FIELDS))
        return BarSeries(interval, np.array(stamps, dtype=np.int64), *columns.T)


def joined(pages: Sequence[BarSeries], interval: timedelta) -> BarSeries:
    """Return the bars of one or more pages that follow each other as one series."""
    stamps = np.concatenate([page.opened_ms for page in pages])
    columns: list[Column] = [np.concatenate([getattr(page, name) for page in pages]) for name in _CANDLE_FIELDS]
    return BarSeries(interval, stamps, *columns)


def funding_rates(text: str) -> list[FundingRate]:
    """Return the rates of a fundingRate answer, oldest first. Raises ParseError for a row that cannot be read."""
    found = funding_rows(text)
    if found.unreadable:
        raise found.unreadable[0]
    with reading("funding rates", text):
        rates = [
            FundingRate(from_milliseconds(row.fundingTime), _float("fundingRate", row.fundingRate))
            for row in found.read
        ]
    return sorted(rates, key=lambda rate: rate.time_exchange)


def funding_hours(text: str) -> dict[str, int]:
    """Return the funding interval of every symbol of a fundingInfo answer, in hours."""
    found = rows("funding interval", decoded("funding info", text, list[Any]), FundingInfoRow, _hours)
    if found.unreadable:
        raise found.unreadable[0]
    return dict(found.read)


def trades(text: str, symbol: str, received: datetime) -> list[TradeTick]:
    """Return the trades of an aggTrades answer, oldest first."""
    items = decoded("trades", text, list[AggregateTrade])
    with reading("trades", text):
        ticks = [_tick(symbol, item, received) for item in items]
    return sorted(ticks, key=lambda tick: (tick.time_exchange, int(tick.trade_id)))


def _hours(row: FundingInfoRow) -> tuple[str, int]:
    if not 1 <= row.fundingIntervalHours <= 24:
        raise InvalidValue("fundingIntervalHours", row.fundingIntervalHours, "1 to 24")
    return row.symbol, row.fundingIntervalHours


def _tick(symbol: str, made: AggregateTrade, received: datetime) -> TradeTick:
    return TradeTick(
        symbol=symbol,
        trade_id=str(made.a),
        # The buyer was the maker, so the aggressor sold.
        side=Side.SELL if made.m else Side.BUY,
        price=_price("p", made.p),
        size=_size("q", made.q),
        time_exchange=from_milliseconds(made.T),
        time_received=received,
    )


def _quote(price: str, size: str) -> BookLevel | None:
    if _float("price", price) == 0:
        return None
    return BookLevel(_price("price", price), _size("size", size))


def _stamp(item: Sequence[Any]) -> int:
    if len(item) <= len(_CANDLE_FIELDS) or type(item[0]) is not int:
        raise InvalidValue("candle", item, "open time and five amounts first")
    return item[0]


def _cell(name: str, value: object) -> float:
    if not isinstance(value, str):
        raise InvalidValue(name, value, "a number as text")
    return _size(name, value) if name == "volume" else _price(name, value)


def _price(field: str, text: str) -> float:
    value = _float(field, text)
    if not 0 < value < math.inf:
        raise InvalidValue(field, text, "a finite number above 0")
    return value


def _size(field: str, text: str) -> float:
    value = _float(field, text)
    if not 0 <= value < math.inf:
        raise InvalidValue(field, text, "a finite number of 0 or more")
    return value


def _float(field: str, text: str) -> float:
    try:
        # Python reads 1_0 as ten.
        value = math.nan if "_" in text or not text.isascii() else float(text)
    except ValueError:
        raise InvalidValue(field, text, "a number") from None
    if not math.isfinite(value):
        raise InvalidValue(field, text, "a finite number")
    return value
