"""The indexer's public data as domain values. Pure: JSON in, domain out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from types import MappingProxyType

import msgspec
import numpy as np

from apps.exchanges.history_ports import FundingRate
from apps.exchanges.market_data.book import DepthBook, Level
from apps.exchanges.ports import CandleUpdate, Listing, TradeBatch
from apps.exchanges.venues.dydx.config import QUOTE_CURRENCY
from apps.exchanges.venues.dydx.markets import Market
from apps.exchanges.venues.dydx.messages import (
    BookMessage,
    CandleMessage,
    CandlesMessage,
    FundingRatesMessage,
    LevelMessage,
    MarketMessage,
    MarketsMessage,
    Pairs,
    TradeMessage,
    TradesMessage,
)
from apps.exchanges.venues.dydx.parse import decoded, moment, number, shown, side, whole
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries, Book, TradeTick
from moondev.domain.values import Money, Price, Quantity

ACTIVE = "ACTIVE"
# https://docs.dydx.xyz/indexer-client/http: the resolutions of candles.
RESOLUTIONS: Mapping[timedelta, str] = MappingProxyType(
    {
        timedelta(minutes=1): "1MIN",
        timedelta(minutes=5): "5MINS",
        timedelta(minutes=15): "15MINS",
        timedelta(minutes=30): "30MINS",
        timedelta(hours=1): "1HOUR",
        timedelta(hours=4): "4HOURS",
        timedelta(days=1): "1DAY",
    }
)
_INTERVALS = MappingProxyType({word: length for length, word in RESOLUTIONS.items()})
_SUFFIX = "-USD"
BOOK_DEPTH = 100


def resolution(interval: timedelta) -> str:
    """Return what the venue calls bars of this length. Raises InvalidValue when it has none."""
    word = RESOLUTIONS.get(interval)
    if word is None:
        raise InvalidValue("interval", str(interval), ", ".join(map(str, RESOLUTIONS)))
    return word


def market(message: MarketMessage, venue: str) -> Market:
    """Return a market with its rules. Raises InvalidValue when its steps are no steps."""
    if not message.ticker.endswith(_SUFFIX):
        raise InvalidValue("ticker", message.ticker, f"a coin and {_SUFFIX}")
    if message.stepBaseQuantums < 1 or message.subticksPerTick < 1:
        raise InvalidValue("stepBaseQuantums", message.stepBaseQuantums, "1 or more, subticksPerTick too")
    margin = number("initialMarginFraction", message.initialMarginFraction)
    if not 0 < margin <= 1:
        raise InvalidValue("initialMarginFraction", message.initialMarginFraction, "above 0, at most 1")
    instrument = Instrument(
        venue=venue,
        symbol=message.ticker,
        asset=message.ticker.removesuffix(_SUFFIX),
        # Prices are in dollars, money is in USDC, and the chain takes the one for the other.
        quote=QUOTE_CURRENCY,
        price_grid=PriceGrid(number("tickSize", message.tickSize)),
        lot=Quantity(number("stepSize", message.stepSize)),
        min_notional=Money(Decimal(0), QUOTE_CURRENCY),
    )
    return Market(
        listing=Listing(instrument, whole("clobPairId", message.clobPairId)),
        atomic_resolution=message.atomicResolution,
        quantum_conversion_exponent=message.quantumConversionExponent,
        step_quantums=message.stepBaseQuantums,
        subticks_per_tick=message.subticksPerTick,
        leverage=int((1 / margin).to_integral_value(rounding=ROUND_DOWN)),
    )


def markets(answer: str, venue: str) -> Rows[Market]:
    """Return the markets that trade, by their number; others are left out without a word."""
    items = decoded("markets", answer, MarketsMessage).markets
    active = [item for item in items.values() if not isinstance(item, dict) or item.get("status") == ACTIVE]
    return rows("market", active, MarketMessage, lambda message: market(message, venue))


def marks(answer: str) -> dict[str, Price]:
    """Return the oracle price of every market that has one; it is what the chain values positions at."""
    items = decoded("markets", answer, MarketsMessage).markets
    with reading("markets", answer):
        shaped = msgspec.convert(items, dict[str, MarketMessage])
        return {
            ticker: Price(number("oraclePrice", message.oraclePrice))
            for ticker, message in shaped.items()
            if message.oraclePrice is not None and message.status == ACTIVE
        }


def levels(items: Iterable[LevelMessage]) -> list[Level]:
    """Return the prices of a snapshot."""
    return [(_float("price", item.price), _float("size", item.size)) for item in items]


def pairs(items: Pairs) -> list[Level]:
    """Return the prices of a difference."""
    return [(_float("price", price), _float("size", size)) for price, size in items]


def book(answer: str, received: datetime) -> Book:
    """Return the book of an answer, uncrossed. The venue does not say how old it is: its time is ours."""
    message = decoded("book", answer, BookMessage)
    with reading("book", answer):
        depth = DepthBook()
        depth.replace(levels(message.bids), levels(message.asks))
        depth.uncross(newest_is_bid=True)
        return depth.top(BOOK_DEPTH, received, received)


def trade(symbol: str, message: TradeMessage, received: datetime) -> TradeTick:
    """Return a public trade."""
    return TradeTick(
        symbol=symbol,
        trade_id=message.id,
        side=side(message.side),
        price=_positive("price", message.price),
        size=_positive("size", message.size),
        time_exchange=moment("createdAt", message.createdAt),
        time_received=received,
    )


def trades(symbol: str, answer: str | msgspec.Raw, received: datetime) -> list[TradeTick]:
    """Return public trades, oldest first."""
    message = decoded("trades", answer, TradesMessage)
    with reading("trades", shown(answer)):
        ticks = [trade(symbol, item, received) for item in message.trades]
        return sorted(ticks, key=lambda tick: tick.time_exchange)


def trade_batch(symbol: str, contents: msgspec.Raw, received: datetime) -> TradeBatch | None:
    """Return the event of trades that were made together; None for no trades."""
    ticks = trades(symbol, contents, received)
    return TradeBatch(symbol, tuple(ticks)) if ticks else None


def candle(message: CandleMessage, received: datetime) -> CandleUpdate:
    """Return the event of a candle; the venue has no flag that a bar is closed."""
    interval = _INTERVALS.get(message.resolution)
    if interval is None:
        raise InvalidValue("resolution", message.resolution, ", ".join(_INTERVALS))
    opened, high, low, close = _prices(message)
    return CandleUpdate(
        symbol=message.ticker,
        interval=interval,
        opened_ms=_opened_ms(message, interval),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=_float("baseTokenVolume", message.baseTokenVolume),
        closed=False,
        time_received=received,
    )


def candle_rows(answer: str, interval: timedelta) -> dict[int, tuple[float, ...]]:
    """Return the bars of an answer by their opening time in milliseconds: open, high, low, close, volume."""
    messages = decoded("candles", answer, CandlesMessage).candles
    with reading("candles", answer):
        return {
            _opened_ms(message, interval): (
                *_prices(message),
                _float("baseTokenVolume", message.baseTokenVolume),
            )
            for message in messages
        }


def series(found: Mapping[int, Sequence[float]], interval: timedelta, last_ms: int) -> BarSeries:
    """Return bars without holes up to the one that opens at `last_ms` or before it.

    The venue has no bar of a time in which nothing was traded; such a bar is flat at the last close.
    """
    step = int(interval / timedelta(milliseconds=1))
    table: list[Sequence[float]] = []
    stamps: list[int] = []
    for stamp in sorted(found):
        while stamps and stamps[-1] + step < stamp:
            _append_flat(stamps, table, step)
        stamps.append(stamp)
        table.append(found[stamp])
    while stamps and stamps[-1] + step <= last_ms:
        _append_flat(stamps, table, step)
    columns = np.array(table, dtype=np.float64).reshape(-1, 5)
    return BarSeries(interval, np.array(stamps, dtype=np.int64), *(columns[:, column] for column in range(5)))


def funding_rates(answer: str) -> list[FundingRate]:
    """Return the rates of an answer, oldest first."""
    messages = decoded("funding rates", answer, FundingRatesMessage).historicalFunding
    with reading("funding rates", answer):
        rates = [FundingRate(moment("effectiveAt", m.effectiveAt), float(number("rate", m.rate))) for m in messages]
        return sorted(rates, key=lambda rate: rate.time_exchange)


def price_and_rate(message: MarketMessage) -> tuple[float | None, float]:
    """Return a market's oracle price, None before it has one, and its expected hourly funding rate."""
    price = None if message.oraclePrice is None else _positive("oraclePrice", message.oraclePrice)
    return price, float(number("nextFundingRate", message.nextFundingRate))


def oracle_price(text: str) -> float:
    """Return an oracle price. Raises InvalidValue when it is not above zero."""
    return _positive("oraclePrice", text)


def _append_flat(stamps: list[int], table: list[Sequence[float]], step: int) -> None:
    close = table[-1][3]
    stamps.append(stamps[-1] + step)
    table.append((close, close, close, close, 0.0))


def _opened_ms(message: CandleMessage, interval: timedelta) -> int:
    stamp = milliseconds(moment("startedAt", message.startedAt))
    if stamp % int(interval / timedelta(milliseconds=1)):
        raise InvalidValue("startedAt", message.startedAt, f"a multiple of {interval}")
    return stamp


def _prices(message: CandleMessage) -> tuple[float, float, float, float]:
    opened, high, low, close = (_positive(field, getattr(message, field)) for field in ("open", "high", "low", "close"))
    if high < max(opened, close) or low > min(opened, close):
        raise InvalidValue("candle", (opened, high, low, close), "high >= open, close >= low")
    return opened, high, low, close


def _float(field: str, text: str) -> float:
    """Return a finite number of zero or more."""
    value = float(number(field, text))
    if not 0 <= value < math.inf:
        raise InvalidValue(field, text, "a number of 0 or more")
    return value


def _positive(field: str, text: str) -> float:
    value = _float(field, text)
    if not value:
        raise InvalidValue(field, text, "a number above 0")
    return value
