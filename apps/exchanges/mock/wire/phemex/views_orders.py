"""Orders and fills as Phemex's rows. The order endpoints, the history and the stream each have their own names."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import Fill, OrderSnapshot, OrderStatus
from apps.exchanges.mock.wire.order_sums import Sums
from apps.exchanges.mock.wire.phemex.facts import OrderFacts
from apps.exchanges.mock.wire.phemex.words import (
    EXECUTION_CODES,
    NS_PER_MS,
    ORDER_TYPE_CODES,
    QUOTE,
    SIDE_CODES,
    STATUS_CODES,
    TIF_WORDS,
    direction,
    execution_id,
    execution_word,
    order_id,
    plain,
    side_word,
    status_word,
    symbol_of,
)
from apps.exchanges.mock.wire.port import Json

ZERO = Decimal(0)
_RATE = Decimal("0.00000001")
_MERGED, _TRADE, _LIQUIDATION = 3, 1, 6


def price_of(order: OrderSnapshot, facts: OrderFacts) -> Decimal:
    """Return an order's limit; zero for one that executes at the market."""
    return ZERO if facts.order_type in ("Market", "Stop", "MarketIfTouched") else order.price


def leaves_of(order: OrderSnapshot) -> Decimal:
    """Return what the venue says is left: nothing of an order that ended, and nothing of one that still waits."""
    return order.remaining if order.status is OrderStatus.OPEN and not order.waiting else ZERO


def order(snapshot: OrderSnapshot, facts: OrderFacts, sums: Sums) -> Json:
    """Return an order as the order endpoints tell it."""
    leaves = leaves_of(snapshot)
    return {
        "bizError": 0,
        "orderID": order_id(snapshot.oid),
        "clOrdID": snapshot.cloid or "",
        "symbol": symbol_of(snapshot.coin),
        "side": side_word(is_buy=snapshot.is_buy),
        "actionTimeNs": snapshot.placed_ms * NS_PER_MS,
        "transactTimeNs": (snapshot.status_ms or snapshot.placed_ms) * NS_PER_MS,
        "orderType": facts.order_type,
        "priceRp": plain(price_of(snapshot, facts)),
        "orderQtyRq": plain(snapshot.size),
        "displayQtyRq": plain(leaves),
        "timeInForce": facts.tif or TIF_WORDS[snapshot.tif],
        "reduceOnly": snapshot.reduce_only,
        "closedPnlRv": plain(sums.profit),
        "closedSizeRq": "0",
        "cumQtyRq": plain(sums.size),
        "cumValueRv": plain(sums.value),
        "leavesQtyRq": plain(leaves),
        "leavesValueRv": plain(leaves * snapshot.price),
        "stopDirection": direction(snapshot),
        "stopPxRp": "0" if snapshot.trigger is None else plain(snapshot.trigger.trigger_px),
        "trigger": facts.trigger,
        "pegOffsetValueRp": "0",
        "pegOffsetProportionRr": "0",
        "execStatus": execution_word(snapshot),
        "pegPriceType": "UNSPECIFIED",
        "ordStatus": status_word(snapshot),
        "execInst": "ReduceOnly" if snapshot.reduce_only else "None",
        "takeProfitRp": facts.take_profit,
        "stopLossRp": facts.stop_loss,
        "slPxRp": "0",
        "tpPxRp": "0",
    }


def accepted(snapshot: OrderSnapshot, facts: OrderFacts) -> Json:
    """Return an order as the answer to placing it tells it: accepted, and nothing of what followed."""
    row = order(snapshot, facts, Sums())
    if snapshot.trigger is not None:
        return {**row, "leavesQtyRq": "0", "leavesValueRv": "0", "execStatus": "Registered", "ordStatus": "Untriggered"}
    left = plain(snapshot.size)
    worth = plain(snapshot.size * snapshot.price)
    said = {"leavesQtyRq": left, "leavesValueRv": worth, "execStatus": "PendingNew", "ordStatus": "Created"}
    return {**row, **said, "transactTimeNs": row["actionTimeNs"], "closedPnlRv": "0"}


def history(snapshot: OrderSnapshot, facts: OrderFacts, sums: Sums) -> Json:
    """Return an order as `/api-data/g-futures/orders` tells it: other names for the ids, fewer fields."""
    row = order(snapshot, facts, sums)
    same = (
        "symbol",
        "side",
        "actionTimeNs",
        "priceRp",
        "orderQtyRq",
        "displayQtyRq",
        "timeInForce",
        "reduceOnly",
        "takeProfitRp",
        "stopLossRp",
        "closedPnlRv",
        "closedSizeRq",
        "cumQtyRq",
        "cumValueRv",
        "leavesQtyRq",
        "leavesValueRv",
        "stopDirection",
        "stopPxRp",
        "trigger",
        "ordStatus",
        "transactTimeNs",
        "bizError",
    )
    named = {"orderId": row["orderID"], "clOrdId": row["clOrdID"], "ordType": row["orderType"]}
    return {**named, **{name: row[name] for name in same}}


def coded(snapshot: OrderSnapshot, facts: OrderFacts, sums: Sums) -> Json:
    """Return an order as `orderList` tells it: words as numbers."""
    row = order(snapshot, facts, sums)
    filled = "TakerFill" if sums.size and row["ordStatus"] in ("Filled", "PartiallyFilled") else row["execStatus"]
    average = plain(sums.average(_RATE))
    return {
        "createdAt": snapshot.placed_ms,
        "symbol": row["symbol"],
        "orderQtyRq": row["orderQtyRq"],
        "side": SIDE_CODES[row["side"]],
        "posSide": _MERGED,
        "priceRp": row["priceRp"],
        "execQtyRq": row["cumQtyRq"],
        "leavesQtyRq": row["leavesQtyRq"],
        "execPriceRp": average,
        "orderValueRv": plain(snapshot.size * snapshot.price),
        "leavesValueRv": row["leavesValueRv"],
        "cumValueRv": row["cumValueRv"],
        "stopDirection": {"UNSPECIFIED": 0, "Rising": 1, "Falling": 2}[row["stopDirection"]],
        "stopPxRp": row["stopPxRp"],
        "trigger": {"ByMarkPrice": 1, "ByLastPrice": 3}.get(facts.trigger, 0),
        "actionBy": 1,
        "execFeeRv": plain(sums.fee),
        "ordType": ORDER_TYPE_CODES[facts.order_type],
        "ordStatus": STATUS_CODES[row["ordStatus"]],
        "clOrdId": row["clOrdID"],
        "orderId": row["orderID"],
        "execStatus": EXECUTION_CODES.get(filled, 0),
        "bizError": 0,
        "totalPnlRv": None,
        "avgTransactPriceRp": None,
        "orderDetailsVos": None,
        "tradeType": _TRADE if sums.size else 0,
    }


def fill_word(fill: Fill) -> str:
    """Return whether a fill took or made the market."""
    return "TakerFill" if fill.crossed else "MakerFill"


def rate_of(fill: Fill) -> str:
    """Return the fee as a part of the fill's worth."""
    worth = fill.size * fill.price
    return plain((fill.fee / worth).quantize(_RATE)) if worth else "0"


def trade(fill: Fill, snapshot: OrderSnapshot | None, facts: OrderFacts) -> Json:
    """Return a fill as `/api-data/g-futures/trades` tells it."""
    return {
        "transactTimeNs": fill.time_ms * NS_PER_MS,
        "symbol": symbol_of(fill.coin),
        "currency": QUOTE,
        "action": "New",
        "posSide": "Merged",
        "side": side_word(is_buy=fill.is_buy),
        "tradeType": "LiqTrade" if fill.liquidation else "Trade",
        "execQtyRq": plain(fill.size),
        "execPriceRp": plain(fill.price),
        "orderQtyRq": plain(fill.size if snapshot is None else snapshot.size),
        "priceRp": "0" if snapshot is None else plain(price_of(snapshot, facts)),
        "execValueRv": plain(fill.size * fill.price),
        "feeRateRr": rate_of(fill),
        "execFeeRv": plain(fill.fee),
        "closedSizeRq": plain(_closed(fill)),
        "closedPnlRv": plain(fill.closed_pnl),
        "ordType": facts.order_type,
        "execID": execution_id(fill.tid, fill.oid),
        "orderID": order_id(fill.oid),
        "clOrdID": fill.cloid or "",
        "execStatus": fill_word(fill),
    }


def coded_trade(fill: Fill, snapshot: OrderSnapshot | None, facts: OrderFacts) -> Json:
    """Return a fill as `tradingList` tells it: numbers for words, a name cut to seven letters, and no order."""
    row = trade(fill, snapshot, facts)
    same = ("symbol", "currency", "execQtyRq", "execPriceRp", "orderQtyRq", "priceRp", "execValueRv", "feeRateRr")
    return {
        "createdAt": fill.time_ms,
        **{name: row[name] for name in same},
        "action": 1,
        "tradeType": _LIQUIDATION if fill.liquidation else _TRADE,
        "side": SIDE_CODES[row["side"]],
        "execFeeRv": row["execFeeRv"],
        "ordType": ORDER_TYPE_CODES[facts.order_type],
        "execId": row["execID"].replace("-", "")[-7:],
        "execStatus": EXECUTION_CODES[row["execStatus"]],
        "posSide": _MERGED,
        "ptFeeRv": 0,
        "ptPriceRp": 0,
    }


def _closed(fill: Fill) -> Decimal:
    """Return by how much the fill shrank the position."""
    opposite = (fill.start_position > 0) != fill.is_buy
    return min(abs(fill.start_position), fill.size) if opposite else ZERO
