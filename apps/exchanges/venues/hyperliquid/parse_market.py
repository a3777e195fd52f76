"""Hyperliquid's public data as domain values. Pure: JSON in, domain out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import TypeVar

import msgspec
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
_TIME = attrgetter("time")
T = TypeVar("T")
_NAMES = MappingProxyType({length: name for name, length in INTERVALS.items()})


def interval_name(interval: timedelta) -> str:
    """Return what the venue calls bars of this length. Raises InvalidValue when it has none."""
    name = _NAMES.get(interval)
    if name is None:
        raise InvalidValue("interval", str(interval), ", ".join(INTERVALS))
    return name


def book(message: BookMessage, received: datetime) -> Book:
    """Return a book. Raises InvalidValue when it is crossed or unsorted."""
    bids, asks = message.levels
    _require_falling("bids", bids)
    _require_falling("asks", asks[::-1])
    return Book(bids, asks, from_milliseconds(message.time), received)


def book_update(message: BookMessage, received: datetime) -> BookUpdate:
    """Return the event of an `l2Book` message."""
    return BookUpdate(message.coin, book(message, received))


def book_answer(answer: object, received: datetime) -> Book:
    """Return the book of an l2Book answer over HTTP."""
    message = _market_data("book", answer, BookMessage)
    with reading("book", answer):
        return book(message, received)


def best_quote(message: BestQuoteMessage, received: datetime) -> BestQuoteUpdate:
    """Return the event of a `bbo` message. Raises InvalidValue when it is crossed."""
    bid, ask = message.bbo
    if bid is not None and ask is not None and bid.price >= ask.price:
        raise InvalidValue("bbo", f"bid {bid.price} >= ask {ask.price}", "bid < ask")
    return BestQuoteUpdate(message.coin, bid, ask, from_milliseconds(message.time), received)


def trades(messages: Sequence[TradeMessage], received: datetime) -> TradeBatch:
    """Return the event of a `trades` message that is not empty, oldest first."""
    rising = sorted(messages, key=_TIME) if len(messages) > 1 else messages
    return TradeBatch(messages[0].coin, tuple([_trade(message, received) for message in rising]))


def candle(message: CandleMessage, received: datetime) -> CandleUpdate:
    """Return the event of a `candle` message; the venue has no flag that a bar is closed.

    Raises InvalidValue for a bar that cannot be.
    """
    if not message.l <= min(message.o, message.c) <= max(message.o, message.c) <= message.h:
        raise InvalidValue("candle", (message.o, message.h, message.l, message.c), "high >= open, close >= low")
    return CandleUpdate(
        message.s, _interval(message.i), message.t,
        message.o, message.h, message.l, message.c, message.v,
        False, received,
    )  # fmt: skip


def candles(answer: object, interval: timedelta) -> BarSeries:
    """Return the bars of a candleSnapshot answer, oldest first, each once (the newest report wins)."""
    messages = _market_data("candles", answer, list[CandleMessage])
    with reading("candles", answer):
        rows = {message.t: (message.o, message.h, message.l, message.c, message.v) for message in messages}
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
    context = message.ctx
    if context.markPx is None:
        return None
    return MarkUpdate(message.coin, context.markPx, context.oraclePx, context.funding, received)


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


def _market_data(what: str, answer: object, shape: type[T]) -> T:
    """Return `answer` checked against `shape`, its texts read as float64. Raises ParseError."""
    with reading(what, answer):
        return msgspec.convert(answer, shape, strict=False)


def _trade(message: TradeMessage, received: datetime) -> TradeTick:
    return TradeTick(
        message.coin, str(message.tid), side(message.side), message.px, message.sz,
        from_milliseconds(message.time), received,
    )  # fmt: skip


def _interval(name: str) -> timedelta:
    length = INTERVALS.get(name)
    if length is None:
        raise InvalidValue("interval", name, ", ".join(INTERVALS))
    return length


def _require_falling(field: str, levels: Sequence[BookLevel]) -> None:
    last = math.inf
    for level in levels:
        if level.price >= last:
            raise InvalidValue(field, "out of order", "prices from best to worst, each once")
        last = level.price
