"""Bybit's words for the engine's things. https://bybit-exchange.github.io/docs/v5/enum"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID, uuid5

from apps.exchanges.mock.engine.api import (
    CancelReason,
    FundingPayment,
    OrderSnapshot,
    OrderStatus,
    RejectCode,
    SelfTrade,
    Tif,
    TpSl,
)

VENUE, PREFIX = "bybit", "/bybit"
QUOTE, CATEGORY = "USDT", "linear"
OTHER_CATEGORIES = frozenset({"spot", "inverse", "option"})
# 6-hour and monthly bars are not kept by the engine.
INTERVALS: Mapping[str, str] = MappingProxyType(
    {
        "1": "1m",
        "3": "3m",
        "5": "5m",
        "15": "15m",
        "30": "30m",
        "60": "1h",
        "120": "2h",
        "240": "4h",
        "720": "12h",
        "D": "1d",
        "W": "1w",
    }
)
INTERVAL_WORDS: Mapping[str, str] = MappingProxyType({ours: theirs for theirs, ours in INTERVALS.items()})
TIFS: Mapping[str, Tif] = MappingProxyType({"GTC": Tif.GTC, "IOC": Tif.IOC, "FOK": Tif.FOK, "PostOnly": Tif.ALO})
TIF_WORDS: Mapping[Tif, str] = MappingProxyType(
    {**{ours: theirs for theirs, ours in TIFS.items()}, Tif.FRONTEND_MARKET: "IOC"}
)
# https://bybit-exchange.github.io/docs/v5/smp: without a word on it an account may trade with itself.
SELF_TRADES: Mapping[str, SelfTrade] = MappingProxyType(
    {
        "None": SelfTrade.ALLOW,
        "CancelMaker": SelfTrade.CANCEL_MAKER,
        "CancelTaker": SelfTrade.CANCEL_TAKER,
        "CancelBoth": SelfTrade.CANCEL_BOTH,
    }
)
# Refusals that come late here: the order is accepted, and cancelled in the same breath.
LATE: Mapping[object, str] = MappingProxyType(
    {
        RejectCode.BAD_ALO_PRICE: "EC_PostOnlyWillTakeLiquidity",
        RejectCode.IOC_NO_MATCH: "EC_NoImmediateQtyToFill",
        RejectCode.NO_LIQUIDITY: "EC_NoImmediateQtyToFill",
        RejectCode.FOK_NO_MATCH: "EC_NoEnoughQtyToFill",
    }
)
_CANCEL_TYPES: Mapping[object, str] = MappingProxyType(
    {
        CancelReason.USER: "CancelByUser",
        CancelReason.REDUCE_ONLY: "CancelByReduceOnly",
        CancelReason.LIQUIDATED: "CancelAllBeforeLiq",
        CancelReason.MARGIN: "CancelByPrepareLiq",
        CancelReason.SELF_TRADE: "CancelBySmp",
        CancelReason.SIBLING_FILLED: "CancelByTpSlTsClear",
        CancelReason.PARENT: "CancelByTpSlTsClear",
        CancelReason.SCHEDULED: "CancelByDCP",
    }
)
_REASONS: Mapping[object, str] = MappingProxyType(
    {CancelReason.USER: "EC_PerCancelRequest", CancelReason.IMMEDIATE_REMAINDER: "EC_CancelForNoFullFill", **LATE}
)
# Order numbers of the engine stand at the end of an id of the form the venue uses.
_ORDER_ID = UUID("6d6f6f6e-0000-4000-8000-000000000000").int
_LARGEST_OID = 2**60
_EXECUTION = UUID("65786563-0000-4000-8000-000000000000")
_FUNDING = UUID("66756e64-0000-4000-8000-000000000000")


def plain(number: Decimal) -> str:
    """Return a number without exponent and without trailing zeros."""
    return f"{number.normalize():f}" if number else "0"


def symbol_of(coin: str) -> str:
    """Return the venue's name of a coin's perpetual."""
    return coin + QUOTE


def order_id(oid: int) -> str:
    """Return the engine's order number as an id of this venue."""
    return str(UUID(int=_ORDER_ID + oid))


def read_order_id(text: str) -> int | None:
    """Return the engine's number in an order id; None for an id that was never given out."""
    try:
        oid = UUID(text).int - _ORDER_ID
    except ValueError:
        return None
    return oid if 0 <= oid < _LARGEST_OID else None


def execution_id(tid: int, oid: int) -> str:
    """Return the id of one side of a trade."""
    return str(uuid5(_EXECUTION, f"{tid} {oid}"))


def funding_id(payment: FundingPayment, what: str) -> str:
    """Return the id of a funding payment's order or execution; the same one every time."""
    return str(uuid5(_FUNDING, f"{what} {payment.coin} {payment.time_ms} {payment.position} {payment.paid}"))


def side_word(*, is_buy: bool) -> str:
    """Return Buy or Sell."""
    return "Buy" if is_buy else "Sell"


def status_word(order: OrderSnapshot) -> str:
    """Return the venue's status of an order."""
    if order.status is OrderStatus.OPEN:
        if order.waiting:
            return "Untriggered"
        return "PartiallyFilled" if order.filled else "New"
    if order.status is OrderStatus.CANCELED:
        return "Deactivated" if order.waiting or (order.trigger is not None and not order.filled) else "Cancelled"
    if order.status is OrderStatus.REJECTED:
        return "Cancelled" if order.reason in LATE else "Rejected"
    return {OrderStatus.TRIGGERED: "Triggered", OrderStatus.FILLED: "Filled"}[order.status]


def cancel_type(order: OrderSnapshot) -> str:
    """Return who cancelled."""
    return _CANCEL_TYPES.get(order.reason, "UNKNOWN")


def reject_reason(order: OrderSnapshot) -> str:
    """Return why an order ended, as an EC word."""
    return _REASONS.get(order.reason, "EC_NoError" if order.reason is None else "EC_Others")


def direction(trigger: TpSl, *, is_buy: bool) -> int:
    """Return 1 when the trigger waits for a rising price, 2 for a falling one."""
    return 1 if (trigger is TpSl.SL) == is_buy else 2


def trigger_kind(rising: int, *, is_buy: bool) -> TpSl:
    """Return the engine's word for a trigger of this direction."""
    return TpSl.SL if (rising == 1) == is_buy else TpSl.TP
