"""The market as Phemex's rows: prices, sizes and values as text, times in nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from apps.exchanges.mock.engine.api import AssetContext, BookView, Candle, FundingRate, LevelView, Trade
from apps.exchanges.mock.wire.phemex.words import HOUR_MS, NS_PER_MS, plain, side_word, symbol_of
from apps.exchanges.mock.wire.port import Json

DEPTH = 30
# The rate is told for eight hours, whatever part of it is paid at once.
_HOURS_IN_RATE = 8
_RATE = Decimal("0.00000001")
_VALUE = Decimal("0.00000001")
PACK_FIELDS = (
    "symbol",
    "openRp",
    "highRp",
    "lowRp",
    "lastRp",
    "volumeRq",
    "turnoverRv",
    "openInterestRv",
    "indexRp",
    "markRp",
    "fundingRateRr",
    "predFundingRateRr",
    "bidRp",
    "askRp",
)


def levels(side: Sequence[LevelView]) -> list[list[str]]:
    """Return one side of a book."""
    return [[plain(level.price), plain(level.size)] for level in side]


def book(view: BookView, sequence: int, depth: int = DEPTH) -> Json:
    """Return a whole book, as an answer and as a message."""
    return {
        "depth": depth,
        "orderbook_p": {"asks": levels(view.asks), "bids": levels(view.bids)},
        "sequence": sequence,
        "symbol": symbol_of(view.coin),
        "timestamp": view.time_ms * NS_PER_MS,
        "type": "snapshot",
    }


def trade(item: Trade) -> list[object]:
    """Return a public trade: it has no name here."""
    return [item.time_ms * NS_PER_MS, side_word(is_buy=item.is_buy), plain(item.price), plain(item.size)]


def trades(coin: str, items: Sequence[Trade], sequence: int, kind: str) -> Json:
    """Return public trades as an answer and as a message, newest first."""
    return {
        "sequence": sequence,
        "symbol": symbol_of(coin),
        "trades_p": [trade(item) for item in items],
        "type": kind,
    }


def kline(candle: Candle, last_close: Decimal) -> list[object]:
    """Return a bar: time, seconds, the close before, open, high, low, close, volume, turnover."""
    seconds = (candle.close_ms + 1 - candle.open_ms) // 1000
    turnover = (candle.close * candle.volume).quantize(_VALUE)
    numbers = (last_close, candle.open, candle.high, candle.low, candle.close, candle.volume, turnover)
    return [candle.open_ms // 1000, seconds, *map(plain, numbers)]


def klines(candles: Sequence[Candle]) -> list[list[object]]:
    """Return bars newest first; each repeats the close of the one before it."""
    before = [candles[0].open, *(candle.close for candle in candles)] if candles else []
    return [kline(candle, close) for candle, close in zip(candles, before, strict=False)][::-1]


def ticker(context: AssetContext, last: Trade | None, bid: LevelView | None, ask: LevelView | None) -> dict[str, str]:
    """Return what the tickers are made of, under the names of the pack."""
    price = context.mark if last is None else last.price
    opened, rate = context.prev_day_px, plain((context.funding * _HOURS_IN_RATE).quantize(_RATE))
    numbers = (
        opened,
        max(price, opened),
        min(price, opened),
        price,
        context.day_base_volume,
        context.day_notional_volume,
        context.open_interest,
        context.oracle,
        context.mark,
    )
    best = (Decimal(0) if level is None else level.price for level in (bid, ask))
    values = [symbol_of(context.coin), *map(plain, numbers), rate, rate, *map(plain, best)]
    return dict(zip(PACK_FIELDS, values, strict=True))


def ticker_v2(row: dict[str, str], now_ns: int) -> Json:
    """Return the older form of the ticker: without best bid and ask, with other names."""
    renamed = {"lastRp": "closeRp", "indexRp": "indexPriceRp", "markRp": "markPriceRp"}
    kept = {renamed.get(name, name): value for name, value in row.items() if name not in ("bidRp", "askRp")}
    return {**kept, "timestamp": now_ns}


def funding_rate(rate: FundingRate) -> Json:
    """Return a rate that was paid; the engine pays every hour, and the row says so."""
    return {
        "symbol": f".{symbol_of(rate.coin)}FR8H",
        "fundingRate": plain(rate.rate),
        "fundingTime": rate.time_ms,
        "intervalSeconds": HOUR_MS // 1000,
    }
