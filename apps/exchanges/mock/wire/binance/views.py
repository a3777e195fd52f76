"""The engine's facts as Binance's futures JSON. Field names and JSON types are the venue's.

https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api
"""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    BookView,
    Candle,
    Fill,
    FundingPayment,
    InstrumentSpec,
    LevelView,
    OrderSnapshot,
    Trade,
)
from apps.exchanges.mock.wire.binance.words import QUOTE, Kind, money, price, status, symbol_of, text, tick_of
from apps.exchanges.mock.wire.order_sums import Sums
from apps.exchanges.mock.wire.port import Json

_ZERO = Decimal(0)
_BPS = Decimal(10_000)


def order(snapshot: OrderSnapshot, kind: Kind, sums: Sums, spec: InstrumentSpec) -> Json:
    """Return an order as GET /order does."""
    market = kind.order_type == "MARKET"
    return {
        "orderId": snapshot.oid,
        "symbol": symbol_of(snapshot.coin),
        "status": status(snapshot),
        "clientOrderId": snapshot.cloid or "",
        "price": "0" if market else price(spec, snapshot.price),
        "avgPrice": average(sums, spec),
        "origQty": text(snapshot.size),
        "executedQty": text(snapshot.filled),
        "cumQuote": money(sums.value),
        "timeInForce": kind.time_in_force,
        "type": kind.order_type,
        "reduceOnly": snapshot.reduce_only,
        "closePosition": kind.close_position,
        "side": side(is_buy=snapshot.is_buy),
        "positionSide": "BOTH",
        "stopPrice": kind.stop_price,
        "workingType": kind.working_type,
        "priceProtect": False,
        "origType": kind.original_type or kind.order_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": kind.self_trade,
        "goodTillDate": kind.good_till_ms,
        "time": snapshot.placed_ms,
        "updateTime": snapshot.status_ms,
    }


def acknowledged(row: Json) -> Json:
    """Return an order as POST, PUT and DELETE /order answer: with the quantity twice and without its birth."""
    return {**{name: value for name, value in row.items() if name != "time"}, "cumQty": row["executedQty"]}


def average(sums: Sums, spec: InstrumentSpec) -> str:
    """Return an average price, with two decimals more than prices have."""
    return text(sums.average(tick_of(spec) / 100)) if sums.size else "0.00"


def side(*, is_buy: bool) -> str:
    """Return BUY or SELL."""
    return "BUY" if is_buy else "SELL"


def user_trade(fill: Fill, spec: InstrumentSpec) -> Json:
    """Return a fill as GET /userTrades does."""
    return {
        "symbol": symbol_of(fill.coin),
        "id": fill.tid,
        "orderId": fill.oid,
        "side": side(is_buy=fill.is_buy),
        "price": price(spec, fill.price),
        "qty": text(fill.size),
        "realizedPnl": money(fill.closed_pnl),
        "quoteQty": money(fill.size * fill.price),
        "commission": money(fill.fee),
        "commissionAsset": QUOTE,
        "time": fill.time_ms,
        "positionSide": "BOTH",
        "buyer": fill.is_buy,
        "maker": not fill.crossed,
    }


def levels(side_: tuple[LevelView, ...], spec: InstrumentSpec) -> list[list[str]]:
    """Return one side of a book."""
    return [[price(spec, level.price), text(level.size)] for level in side_]


def depth(view: BookView, spec: InstrumentSpec, update_id: int, now_ms: int) -> Json:
    """Return a book as GET /depth does."""
    sides = {"bids": levels(view.bids, spec), "asks": levels(view.asks, spec)}
    return {"lastUpdateId": update_id, "E": now_ms, "T": view.time_ms, **sides}


def kline(candle: Candle) -> list[object]:
    """Return a bar as GET /klines does; who was the taker is not known of whole bars, so half of each is said."""
    worth, half = candle.volume * candle.close, candle.volume / 2
    prices = [text(number) for number in (candle.open, candle.high, candle.low, candle.close, candle.volume)]
    takers = [text(half), money(half * candle.close), "0"]
    return [candle.open_ms, *prices, candle.close_ms, money(worth), candle.trades, *takers]


def aggregate_trade(trade: Trade, spec: InstrumentSpec) -> Json:
    """Return a public trade as GET /aggTrades does."""
    row = {"a": trade.tid, "p": price(spec, trade.price), "q": text(trade.size), "f": trade.tid, "l": trade.tid}
    return row | {"T": trade.time_ms, "m": not trade.is_buy}


def recent_trade(trade: Trade, spec: InstrumentSpec) -> Json:
    """Return a public trade as GET /trades does."""
    row = {"id": trade.tid, "price": price(spec, trade.price), "qty": text(trade.size)}
    worth = money(trade.size * trade.price)
    return row | {"quoteQty": worth, "time": trade.time_ms, "isBuyerMaker": not trade.is_buy}


def income(payment: FundingPayment, transaction: int) -> Json:
    """Return a funding payment as GET /income does."""
    return {
        "symbol": symbol_of(payment.coin),
        "incomeType": "FUNDING_FEE",
        "income": money(-payment.paid),
        "asset": QUOTE,
        "info": "FUNDING_FEE",
        "time": payment.time_ms,
        "tranId": transaction,
        "tradeId": "",
    }


def income_of_fill(fill: Fill, kind: str, amount: Decimal) -> Json:
    """Return what a fill earned or cost as GET /income does."""
    return {
        "symbol": symbol_of(fill.coin),
        "incomeType": kind,
        "income": money(amount),
        "asset": QUOTE,
        "info": str(fill.tid),
        "time": fill.time_ms,
        "tranId": fill.tid,
        "tradeId": str(fill.tid),
    }


def rate(bps: Decimal) -> str:
    """Return a fee rate as a fraction."""
    return f"{(bps / _BPS).normalize():f}"
