"""The engine's facts as Binance's spot JSON: eight decimals everywhere.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from apps.exchanges.mock.engine.api import Fill, InstrumentSpec, OrderSnapshot
from apps.exchanges.mock.engine.reports import BalanceState
from apps.exchanges.mock.wire.binance.views import side
from apps.exchanges.mock.wire.binance.words import Kind, money, status, symbol_of, tick_of
from apps.exchanges.mock.wire.order_sums import Sums
from apps.exchanges.mock.wire.port import Json

_NOTHING = "0.00000000"
_BPS = Decimal(10_000)


def order(snapshot: OrderSnapshot, kind: Kind, sums: Sums) -> Json:
    """Return an order as GET /order does."""
    return {
        **_head(snapshot, kind, sums),
        "stopPrice": _stop(snapshot),
        "icebergQty": _NOTHING,
        "time": snapshot.placed_ms,
        "updateTime": snapshot.status_ms,
        "isWorking": not snapshot.waiting,
        "workingTime": -1 if snapshot.waiting else snapshot.placed_ms,
        "origQuoteOrderQty": _NOTHING,
    }


def placed(snapshot: OrderSnapshot, kind: Kind, sums: Sums, fills: Sequence[Fill]) -> Json:
    """Return an order as POST /order does when asked in full: with what it traded at once."""
    return {
        **_head(snapshot, kind, sums),
        "transactTime": snapshot.status_ms,
        "workingTime": -1 if snapshot.waiting else snapshot.placed_ms,
        "fills": [
            {
                "price": money(fill.price),
                "qty": money(fill.size),
                "commission": money(fill.fee),
                "commissionAsset": fill.fee_asset,
                "tradeId": fill.tid,
            }
            for fill in fills
        ],
    }


def cancelled(snapshot: OrderSnapshot, kind: Kind, sums: Sums, cancel_id: str) -> Json:
    """Return an order as DELETE /order does: the cancel has an id of its own, and takes the order's place."""
    named = {"origClientOrderId": snapshot.cloid or "", "clientOrderId": cancel_id}
    return {**_head(snapshot, kind, sums), **named, "transactTime": snapshot.status_ms}


def user_trade(fill: Fill) -> Json:
    """Return a fill as GET /myTrades does."""
    return {
        "symbol": symbol_of(fill.coin),
        "id": fill.tid,
        "orderId": fill.oid,
        "orderListId": -1,
        "price": money(fill.price),
        "qty": money(fill.size),
        "quoteQty": money(fill.price * fill.size),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": fill.is_buy,
        "isMaker": not fill.crossed,
        "isBestMatch": True,
    }


def account(balances: Sequence[BalanceState], maker_bps: Decimal, taker_bps: Decimal, now_ms: int) -> Json:
    """Return an account as GET /account does."""
    rates = {"maker": money(maker_bps / _BPS), "taker": money(taker_bps / _BPS), "buyer": _NOTHING, "seller": _NOTHING}
    flags = {"canTrade": True, "canWithdraw": True, "canDeposit": True, "brokered": False}
    return {
        "makerCommission": int(maker_bps),
        "takerCommission": int(taker_bps),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": rates,
        **flags,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": now_ms,
        "accountType": "SPOT",
        "balances": [{"asset": held.asset, "free": money(held.free), "locked": money(held.held)} for held in balances],
        "permissions": ["SPOT"],
        "uid": 354_937_868,
    }


def symbol(spec: InstrumentSpec) -> Json:
    """Return a pair as exchangeInfo does."""
    tick, lot = money(tick_of(spec)), money(spec.lot)
    sizes = {"minQty": lot, "maxQty": "9000.00000000", "stepSize": lot}
    modes = ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "NONE"]
    return {
        "symbol": symbol_of(spec.coin),
        "status": "TRADING",
        "baseAsset": spec.base,
        "baseAssetPrecision": 8,
        "quoteAsset": spec.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT",
                       "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", **sizes},
            {"filterType": "MARKET_LOT_SIZE", **sizes},
            {"filterType": "NOTIONAL", "minNotional": money(spec.min_notional), "applyMinToMarket": True,
             "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": modes,
    }  # fmt: skip


def report(snapshot: OrderSnapshot, kind: Kind, sums: Sums, execution: str, fill: Fill | None, time_ms: int) -> Json:
    """Return the news of an order as the private stream tells it, without the time of telling."""
    market = kind.order_type == "MARKET"
    return {
        "e": "executionReport",
        "s": symbol_of(snapshot.coin),
        "c": snapshot.cloid or "",
        "S": side(is_buy=snapshot.is_buy),
        "o": kind.order_type,
        "f": kind.time_in_force,
        "q": money(snapshot.size),
        "p": _NOTHING if market else money(snapshot.price),
        "P": _stop(snapshot),
        "F": _NOTHING,
        "g": -1,
        "C": snapshot.cloid or "" if execution == "CANCELED" else "",
        "x": execution,
        "X": _word(snapshot, sums, execution),
        "r": "NONE",
        "i": snapshot.oid,
        "l": money(fill.size) if fill else _NOTHING,
        "z": money(sums.size) if execution != "NEW" else _NOTHING,
        "L": money(fill.price) if fill else _NOTHING,
        "n": money(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": time_ms,
        "t": fill.tid if fill else -1,
        "I": snapshot.oid * 2,
        "w": not snapshot.waiting and not snapshot.status.final,
        "m": not fill.crossed if fill else False,
        "M": False,
        "O": snapshot.placed_ms,
        "Z": money(sums.value) if execution != "NEW" else _NOTHING,
        "Y": money(fill.price * fill.size) if fill else _NOTHING,
        "Q": _NOTHING,
        "W": snapshot.placed_ms,
        "V": kind.self_trade,
    }


def _word(snapshot: OrderSnapshot, sums: Sums, execution: str) -> str:
    if execution == "NEW":
        return "NEW"
    if execution == "TRADE":
        return "FILLED" if sums.size >= snapshot.size else "PARTIALLY_FILLED"
    return status(snapshot)


def _head(snapshot: OrderSnapshot, kind: Kind, sums: Sums) -> Json:
    return {
        "symbol": symbol_of(snapshot.coin),
        "orderId": snapshot.oid,
        "orderListId": -1,
        "clientOrderId": snapshot.cloid or "",
        "price": _NOTHING if kind.order_type == "MARKET" else money(snapshot.price),
        "origQty": money(snapshot.size),
        "executedQty": money(snapshot.filled),
        "cummulativeQuoteQty": money(sums.value),
        "status": status(snapshot),
        "timeInForce": kind.time_in_force,
        "type": kind.order_type,
        "side": side(is_buy=snapshot.is_buy),
        "selfTradePreventionMode": kind.self_trade,
    }


def _stop(snapshot: OrderSnapshot) -> str:
    return _NOTHING if snapshot.trigger is None else money(snapshot.trigger.trigger_px)
