"""The market as Bybit's rows: numbers as text, times as text in milliseconds."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    AssetContext,
    Candle,
    InstrumentSpec,
    LevelView,
    Trade,
)
from apps.exchanges.mock.engine.grid import decimal_of
from apps.exchanges.mock.wire.bybit.words import (
    INTERVAL_WORDS,
    QUOTE,
    execution_id,
    plain,
    side_word,
    symbol_of,
)
from apps.exchanges.mock.wire.port import Json

HOUR_MS = 3_600_000
# Positions have no tiers here: one is as large as an account can carry.
RISK_LIMIT = "2000000"
_CENT = Decimal("0.00000001")


def instrument(spec: InstrumentSpec) -> Json:
    """Return a row of instruments-info."""
    tick = spec.tick or decimal_of(1, spec.price_max_decimals)
    lot = plain(spec.lot)
    return {
        "symbol": symbol_of(spec.coin),
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": spec.coin,
        "quoteCoin": QUOTE,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(max(0, -int(tick.normalize().as_tuple().exponent))),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": f"{spec.max_leverage}.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": plain(tick), "maxPrice": "1999999.8", "tickSize": plain(tick)},
        "lotSizeFilter": {
            "maxOrderQty": "100000.000",
            "minOrderQty": lot,
            "qtyStep": lot,
            "postOnlyMaxOrderQty": "100000.000",
            "maxMktOrderQty": "100000.000",
            "minNotionalValue": plain(spec.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 60,
        "settleCoin": QUOTE,
        "copyTrading": "none",
        "upperFundingRate": "0.04",
        "lowerFundingRate": "-0.04",
        "isPreListing": False,
        "preListingInfo": None,
    }


def risk_limit(spec: InstrumentSpec) -> Json:
    """Return a row of risk-limit; margins are fractions of the position."""
    return {
        "id": 1,
        "symbol": symbol_of(spec.coin),
        "riskLimitValue": RISK_LIMIT,
        "maintenanceMargin": plain((1 / (2 * Decimal(spec.max_leverage))).quantize(_CENT)),
        "initialMargin": plain((1 / Decimal(spec.max_leverage)).quantize(_CENT)),
        "isLowestRisk": 1,
        "maxLeverage": f"{spec.max_leverage}.00",
        "mmDeduction": "",
    }


def ticker(context: AssetContext, last: Trade | None, bid: LevelView | None, ask: LevelView | None, now: int) -> Json:
    """Return a row of tickers."""
    price = context.mark if last is None else last.price
    before = context.prev_day_px
    change = (price / before - 1).quantize(Decimal("0.000001")) if before else Decimal(0)
    return {
        "symbol": symbol_of(context.coin),
        "tickDirection": "PlusTick",
        "lastPrice": plain(price),
        "indexPrice": plain(context.oracle),
        "markPrice": plain(context.mark),
        "prevPrice24h": plain(before),
        "price24hPcnt": plain(change),
        "highPrice24h": plain(max(price, before)),
        "lowPrice24h": plain(min(price, before)),
        "prevPrice1h": plain(before),
        "openInterest": plain(context.open_interest),
        "openInterestValue": plain((context.open_interest * context.mark).quantize(_CENT)),
        "turnover24h": plain(context.day_notional_volume),
        "volume24h": plain(context.day_base_volume),
        "fundingRate": plain(context.funding.quantize(_CENT)),
        "nextFundingTime": str((now // HOUR_MS + 1) * HOUR_MS),
        "fundingIntervalHour": "1",
        "bid1Price": "" if bid is None else plain(bid.price),
        "bid1Size": "" if bid is None else plain(bid.size),
        "ask1Price": "" if ask is None else plain(ask.price),
        "ask1Size": "" if ask is None else plain(ask.size),
    }


def kline(candle: Candle) -> list[str]:
    """Return a row of the kline answer."""
    turnover = (candle.close * candle.volume).quantize(_CENT)
    numbers = (candle.open, candle.high, candle.low, candle.close, candle.volume, turnover)
    return [str(candle.open_ms), *map(plain, numbers)]


def kline_event(candle: Candle, now: int, *, confirm: bool) -> Json:
    """Return a bar as the stream sends it."""
    _, opened, high, low, close, volume, turnover = kline(candle)
    return {
        "start": candle.open_ms,
        "end": candle.close_ms,
        "interval": INTERVAL_WORDS[candle.interval],
        "open": opened,
        "close": close,
        "high": high,
        "low": low,
        "volume": volume,
        "turnover": turnover,
        "confirm": confirm,
        "timestamp": now,
    }


def recent_trade(trade: Trade) -> Json:
    """Return a row of recent-trade."""
    return {
        "execId": execution_id(trade.tid, 0),
        "symbol": symbol_of(trade.coin),
        "price": plain(trade.price),
        "size": plain(trade.size),
        "side": side_word(is_buy=trade.is_buy),
        "time": str(trade.time_ms),
        "isBlockTrade": False,
        "isRPITrade": False,
    }


def trade_event(trade: Trade) -> Json:
    """Return a public trade as the stream sends it."""
    return {
        "T": trade.time_ms,
        "s": symbol_of(trade.coin),
        "S": side_word(is_buy=trade.is_buy),
        "v": plain(trade.size),
        "p": plain(trade.price),
        "L": "PlusTick",
        "i": execution_id(trade.tid, 0),
        "BT": False,
        "RPI": False,
    }
