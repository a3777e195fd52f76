"""Engine objects in the venue's JSON shapes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

from apps.exchanges.mock.engine.api import (
    AssetContext,
    BookView,
    Candle,
    Fill,
    InstrumentSpec,
    LevelView,
    OrderSnapshot,
    Tif,
    TpSl,
    Trade,
)
from apps.exchanges.mock.wire.hyperliquid.numbers import wire, wire_places, wire_usd
from apps.exchanges.mock.wire.hyperliquid.texts import status_word
from moondev.domain.clock import from_milliseconds

Json: TypeAlias = dict[str, Any]

QUOTE = "USDC"
SPOT_PREFIX = "@"
_ZERO = Decimal(0)


def side(is_buy: bool) -> str:  # noqa: FBT001 - the venue's own two-valued field
    """Return B for a bid, A for an ask."""
    return "B" if is_buy else "A"


def transaction_hash(tid: int) -> str:
    """Return a hash for a trade: made from its id, since there is no chain behind the mock."""
    return f"0x{tid:064x}"


def open_order(order: OrderSnapshot) -> Json:
    """Return an order as openOrders and orderUpdates show it."""
    row: Json = {
        "coin": order.coin,
        "side": side(order.is_buy),
        "limitPx": wire(order.price),
        "sz": wire(_shown(order, order.remaining)),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "origSz": wire(_shown(order, order.size)),
    }
    if order.reduce_only:
        row["reduceOnly"] = True
    if order.cloid is not None:
        row["cloid"] = order.cloid
    return row


def frontend_order(order: OrderSnapshot) -> Json:
    """Return an order as frontendOpenOrders, orderStatus and historicalOrders show it."""
    trigger = order.trigger
    return {
        "coin": order.coin,
        "side": side(order.is_buy),
        "limitPx": wire(order.price),
        "sz": wire(_shown(order, order.remaining)),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "triggerCondition": _trigger_condition(order),
        "isTrigger": trigger is not None,
        "triggerPx": "0.0" if trigger is None else wire(trigger.trigger_px),
        "children": [],
        "isPositionTpsl": order.position_tpsl,
        "reduceOnly": order.reduce_only,
        "orderType": _order_type(order),
        "origSz": wire(_shown(order, order.size)),
        "tif": None if trigger is not None else order.tif.value,
        "cloid": order.cloid,
    }


def _shown(order: OrderSnapshot, size: Decimal) -> Decimal:
    """Return a size as the venue shows it: an order for a whole position has none before it triggers."""
    return _ZERO if order.position_tpsl and order.waiting else size


def _order_type(order: OrderSnapshot) -> str:
    if order.trigger is None:
        return "Market" if order.tif is Tif.FRONTEND_MARKET else "Limit"
    words = "Take Profit" if order.trigger.tpsl is TpSl.TP else "Stop"
    return f"{words} {'Market' if order.trigger.is_market else 'Limit'}"


def _trigger_condition(order: OrderSnapshot) -> str:
    if order.trigger is None:
        return "N/A"
    if not order.waiting and not order.status.final:
        return "Triggered"
    rises = order.is_buy is (order.trigger.tpsl is TpSl.SL)
    return f"Price {'above' if rises else 'below'} {wire(order.trigger.trigger_px).removesuffix('.0')}"


def order_update(order: OrderSnapshot, time_ms: int) -> Json:
    """Return one entry of an orderUpdates message."""
    return {"order": open_order(order), "status": status_word(order), "statusTimestamp": time_ms}


def order_record(order: OrderSnapshot) -> Json:
    """Return an order with its status, as orderStatus and historicalOrders wrap it."""
    return {"order": frontend_order(order), "status": status_word(order), "statusTimestamp": order.status_ms}


def direction(fill: Fill) -> str:
    """Return the venue's words for what a fill did to the position, or to the balance of a spot pair."""
    if fill.coin.startswith(SPOT_PREFIX):
        return "Buy" if fill.is_buy else "Sell"
    before, after = fill.start_position, fill.end_position
    if before * after < _ZERO:
        return "Long > Short" if before > _ZERO else "Short > Long"
    if fill.is_buy:
        return "Close Short" if before < _ZERO else "Open Long"
    return "Close Long" if before > _ZERO else "Open Short"


def user_fill(fill: Fill, user: str) -> Json:
    """Return one fill of `user`."""
    row: Json = {
        "coin": fill.coin,
        "px": wire(fill.price),
        "sz": wire(fill.size),
        "side": side(fill.is_buy),
        "time": fill.time_ms,
        "startPosition": wire(fill.start_position),
        "dir": direction(fill),
        "closedPnl": wire_usd(fill.closed_pnl),
        "hash": transaction_hash(fill.tid),
        "oid": fill.oid,
        "crossed": fill.crossed,
        "fee": wire_usd(fill.fee) if fill.fee_asset == QUOTE else wire(fill.fee),
        "tid": fill.tid,
        "feeToken": fill.fee_asset,
        "twapId": None,
    }
    if fill.cloid is not None:
        row["cloid"] = fill.cloid
    if fill.builder_fee:
        row["builderFee"] = wire_usd(fill.builder_fee)
    if fill.liquidation is not None:
        method = "backstop" if fill.liquidation.takeover else "market"
        row["liquidation"] = {"liquidatedUser": user, "markPx": wire(fill.liquidation.mark_px), "method": method}
    return row


def public_trade(trade: Trade) -> Json:
    """Return one public trade; `side` is the aggressor's, `users` are buyer and seller."""
    return {
        "coin": trade.coin,
        "side": side(trade.is_buy),
        "px": wire(trade.price),
        "sz": wire(trade.size),
        "time": trade.time_ms,
        "hash": transaction_hash(trade.tid),
        "tid": trade.tid,
        "users": [trade.buyer, trade.seller],
    }


def level(view: LevelView) -> Json:
    """Return one price level."""
    return {"px": wire(view.price), "sz": wire(view.size), "n": view.orders}


def book(view: BookView) -> Json:
    """Return a book, bids first."""
    return {
        "coin": view.coin,
        "time": view.time_ms,
        "levels": [[level(bid) for bid in view.bids], [level(ask) for ask in view.asks]],
    }


def best(view: BookView) -> Json:
    """Return the best bid and offer, null where a side is empty."""
    return {
        "coin": view.coin,
        "time": view.time_ms,
        "bbo": [level(levels[0]) if levels else None for levels in (view.bids, view.asks)],
    }


def candle(bar: Candle) -> Json:
    """Return one bar; t and T are its first and last millisecond."""
    return {
        "t": bar.open_ms,
        "T": bar.close_ms,
        "s": bar.coin,
        "i": bar.interval,
        "o": wire(bar.open),
        "c": wire(bar.close),
        "h": wire(bar.high),
        "l": wire(bar.low),
        "v": wire(bar.volume),
        "n": bar.trades,
    }


def instrument(spec: InstrumentSpec) -> Json:
    """Return one entry of meta.universe."""
    return {
        "szDecimals": spec.sz_decimals,
        "name": spec.coin,
        "maxLeverage": spec.max_leverage,
        "marginTableId": spec.max_leverage,
    }


def margin_table(leverage: int) -> list[Any]:
    """Return the margin table of one tier that all coins of this maximum leverage share."""
    return [
        leverage,
        {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": leverage}]},
    ]


def asset_context(context: AssetContext) -> Json:
    """Return what the venue tells about a coin besides its rules."""
    impact = None
    if context.impact_bid is not None and context.impact_ask is not None:
        impact = [wire(context.impact_bid), wire(context.impact_ask)]
    return {
        "funding": wire_places(context.funding, 10),
        "openInterest": wire(context.open_interest),
        "prevDayPx": wire(context.prev_day_px),
        "dayNtlVlm": wire(context.day_notional_volume),
        "premium": wire_places(context.premium, 10),
        "oraclePx": wire(context.oracle),
        "markPx": wire(context.mark),
        "midPx": None if context.mid is None else wire(context.mid),
        "impactPxs": impact,
        "dayBaseVlm": wire(context.day_base_volume),
    }


def iso_date(stamp_ms: int) -> str:
    """Return the UTC date of a time in ms, as YYYY-MM-DD."""
    return from_milliseconds(stamp_ms).date().isoformat()
