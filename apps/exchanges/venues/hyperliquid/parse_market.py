"""Hyperliquid's public data as domain values. Pure: JSON in, domain out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    MarkUpdate,
    ParseError,
    TradeBatch,
)
from apps.exchanges.venues.hyperliquid.messages import (
    AssetContext,
    AssetContextMessage,
    BestQuoteMessage,
    BookMessage,
    CandleMessage,
    FundingRateMessage,
    Level,
    Meta,
    TradeMessage,
)
from apps.exchanges.venues.hyperliquid.parse import number, shaped, side
from apps.exchanges.venues.rows import reading
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Book, BookLevel, TradeTick
from moondev.domain.values import Price

# https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#candle-snapshot
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


def interval_name(interval: timedelta) -> str:
    """Return what the venue calls bars of this length. Raises InvalidValue when it has none."""
    name = _NAMES.get(interval)
    if name is None:
        raise InvalidValue("interval", str(interval), ", ".join(INTERVALS))
    return name


def book(message: BookMessage, received: datetime) -> Book:
    """Return a book. Raises InvalidValue when it is crossed, unsorted or has a bad number."""
    bids, asks = (tuple(_level(level) for level in levels) for levels in message.levels)
    _require_order("bids", [-level.price for level in bids])
    _require_order("asks", [level.price for level in asks])
    return Book(bids, asks, from_milliseconds(message.time), received)


def book_update(message: BookMessage, received: datetime) -> BookUpdate:
    """Return the event of an `l2Book` message."""
    return BookUpdate(message.coin, book(message, received))


def book_answer(answer: object, received: datetime) -> Book:
    """Return the book of an l2Book answer over HTTP."""
    message = shaped("book", answer, BookMessage)
    with reading("book", answer):
        return book(message, received)


def best_quote(message: BestQuoteMessage, received: datetime) -> BestQuoteUpdate:
    """Return the event of a `bbo` message. Raises InvalidValue when it is crossed."""
    bid, ask = (None if level is None else _level(level) for level in message.bbo)
    if bid is not None and ask is not None and bid.price >= ask.price:
        raise InvalidValue("bbo", f"bid {bid.price} >= ask {ask.price}", "bid < ask")
    return BestQuoteUpdate(message.coin, bid, ask, from_milliseconds(message.time), received)


def trades(messages: Sequence[TradeMessage], received: datetime) -> TradeBatch:
    """Return the event of a `trades` message that is not empty, oldest first."""
    ticks = sorted((_trade(message, received) for message in messages), key=lambda tick: tick.time_exchange)
    return TradeBatch(messages[0].coin, tuple(ticks))


def candle(message: CandleMessage, received: datetime) -> CandleUpdate:
    """Return the event of a `candle` message; the venue has no flag that a bar is closed."""
    opened, high, low, closed = _prices(message)
    return CandleUpdate(
        symbol=message.s,
        interval=_interval(message.i),
        opened_ms=message.t,
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=_size("v", message.v),
        closed=False,
        time_received=received,
    )


def candles(answer: object, interval: timedelta) -> BarSeries:
    """Return the bars of a candleSnapshot answer, oldest first, each once (the newest report wins)."""
    messages = shaped("candles", answer, list[CandleMessage])
    with reading("candles", answer):
        rows = {message.t: (*_prices(message), _size("v", message.v)) for message in messages}
        table = np.array([rows[stamp] for stamp in sorted(rows)], dtype=np.float64).reshape(-1, 5)
        stamps = np.array(sorted(rows), dtype=np.int64)
        return BarSeries(interval, stamps, *(table[:, column] for column in range(5)))


def funding_rates(answer: object) -> list[FundingRate]:
    """Return the rates of a fundingHistory answer, oldest first."""
    messages = shaped("funding rates", answer, list[FundingRateMessage])
    with reading("funding rates", answer):
        rates = [FundingRate(from_milliseconds(m.time), float(number("fundingRate", m.fundingRate))) for m in messages]
        return sorted(rates, key=lambda rate: rate.time_exchange)


def mark(message: AssetContextMessage, received: datetime) -> MarkUpdate | None:
    """Return the event of an `activeAssetCtx` message; None when the asset has no mark yet."""
    if message.ctx.markPx is None:
        return None
    return MarkUpdate(
        symbol=message.coin,
        mark_price=_price("markPx", message.ctx.markPx),
        oracle_price=_price("oraclePx", message.ctx.oraclePx),
        funding_rate=float(number("funding", message.ctx.funding)),
        time_received=received,
    )


def marks(answer: object) -> dict[str, Price]:
    """Return the mark prices of a metaAndAssetCtxs answer."""
    meta, contexts = shaped("marks", answer, tuple[Meta, list[AssetContext]])
    if len(meta.universe) != len(contexts):
        raise ParseError("marks", "assets and contexts differ in number", answer)
    with reading("marks", answer):
        return {
            asset.name: Price(number("markPx", context.markPx))
            for asset, context in zip(meta.universe, contexts, strict=True)
            if context.markPx is not None
        }


def _level(level: Level) -> BookLevel:
    return BookLevel(_price("px", level.px), _size("sz", level.sz))


def _trade(message: TradeMessage, received: datetime) -> TradeTick:
    return TradeTick(
        symbol=message.coin,
        trade_id=str(message.tid),
        side=side(message.side),
        price=_price("px", message.px),
        size=_size("sz", message.sz),
        time_exchange=from_milliseconds(message.time),
        time_received=received,
    )


def _prices(message: CandleMessage) -> tuple[float, float, float, float]:
    return _price("o", message.o), _price("h", message.h), _price("l", message.l), _price("c", message.c)


def _interval(name: str) -> timedelta:
    length = INTERVALS.get(name)
    if length is None:
        raise InvalidValue("interval", name, ", ".join(INTERVALS))
    return length


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
        return float(text)
    except ValueError:
        raise InvalidValue(field, text, "a number") from None


def _require_order(field: str, keys: Sequence[float]) -> None:
    if any(later <= earlier for earlier, later in pairwise(keys)):
        raise InvalidValue(field, "out of order", "prices from best to worst, each once")
