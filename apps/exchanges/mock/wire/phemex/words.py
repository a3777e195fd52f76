"""Phemex's words and numbers for the engine's things. https://phemex-docs.github.io/#usds-m-perpetual-rest-api"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from apps.exchanges.mock.engine.api import CancelReason, OrderSnapshot, OrderStatus, RejectCode, Tif, TpSl

VENUE, PREFIX = "phemex", "/phemex"
QUOTE = "USDT"
NS_PER_MS = 1_000_000
HOUR_MS = 3_600_000
# Seconds of a bar; three and six hours, months and longer are not kept by the engine.
INTERVALS: Mapping[int, str] = MappingProxyType(
    {
        60: "1m",
        180: "3m",
        300: "5m",
        900: "15m",
        1_800: "30m",
        3_600: "1h",
        7_200: "2h",
        14_400: "4h",
        43_200: "12h",
        86_400: "1d",
        604_800: "1w",
    }
)
TIFS: Mapping[str, Tif] = MappingProxyType(
    {"GoodTillCancel": Tif.GTC, "ImmediateOrCancel": Tif.IOC, "FillOrKill": Tif.FOK, "PostOnly": Tif.ALO}
)
TIF_WORDS: Mapping[Tif, str] = MappingProxyType(
    {**{ours: theirs for theirs, ours in TIFS.items()}, Tif.FRONTEND_MARKET: "ImmediateOrCancel"}
)
TRIGGERS = frozenset({"ByMarkPrice", "ByLastPrice", "ByIndexPrice"})
# Refusals of the matching engine: the order was accepted by then, and only the account's stream tells.
LATE: Mapping[object, int] = MappingProxyType(
    {
        RejectCode.BAD_ALO_PRICE: 101,
        RejectCode.IOC_NO_MATCH: 100,
        RejectCode.NO_LIQUIDITY: 100,
        RejectCode.FOK_NO_MATCH: 100,
    }
)
_BY: Mapping[object, str] = MappingProxyType(
    {
        CancelReason.LIQUIDATED: "ByLiquidation",
        CancelReason.MARGIN: "ByLiquidation",
        CancelReason.REDUCE_ONLY: "ByTradingEngine",
        CancelReason.SELF_TRADE: "ByTradingEngine",
        CancelReason.SIBLING_FILLED: "ByTradingEngine",
        CancelReason.PARENT: "ByTradingEngine",
        CancelReason.IMMEDIATE_REMAINDER: "ByMatchingEngine",
    }
)
# The history endpoints write numbers where the others write words.
SIDE_CODES: Mapping[str, int] = MappingProxyType({"Buy": 1, "Sell": 2})
ORDER_TYPE_CODES: Mapping[str, int] = MappingProxyType(
    {"Market": 1, "Limit": 2, "Stop": 3, "StopLimit": 4, "MarketIfTouched": 5, "LimitIfTouched": 6}
)
STATUS_CODES: Mapping[str, int] = MappingProxyType(
    {
        "Created": 0,
        "Untriggered": 1,
        "Deactivated": 2,
        "Triggered": 3,
        "Rejected": 4,
        "New": 5,
        "PartiallyFilled": 6,
        "Filled": 7,
        "Canceled": 8,
    }
)
EXECUTION_CODES: Mapping[str, int] = MappingProxyType(
    {"New": 5, "MakerFill": 6, "TakerFill": 7, "Canceled": 11, "CreateRejected": 19}
)
NO_EXECUTION = "00000000-0000-0000-0000-000000000000"
# Order numbers of the engine stand at the end of an id of the form the venue uses.
_ORDER_ID = UUID("7068656d-0000-4000-8000-000000000000").int
_EXECUTION_ID = UUID("66696c6c-0000-5000-8000-000000000000").int
_LARGEST_OID = 2**60


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
    return str(UUID(int=_EXECUTION_ID ^ (tid << 60) ^ oid))


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
        return "Deactivated" if order.trigger is not None and not order.filled else "Canceled"
    if order.status is OrderStatus.REJECTED:
        return "Canceled" if order.reason in LATE and order.reason is not RejectCode.BAD_ALO_PRICE else "Rejected"
    return {OrderStatus.TRIGGERED: "Triggered", OrderStatus.FILLED: "Filled"}[order.status]


def execution_word(order: OrderSnapshot) -> str:
    """Return what last happened to an order that no fill happened to."""
    if order.status is OrderStatus.OPEN and order.waiting:
        return "Registered"
    if order.status is OrderStatus.REJECTED and status_word(order) == "Rejected":
        return "CreateRejected"
    return "Canceled" if order.status in (OrderStatus.CANCELED, OrderStatus.REJECTED) else "New"


def acted_by(order: OrderSnapshot) -> str:
    """Return who ended an order."""
    return _BY.get(order.reason, "ByUser")


def direction(order: OrderSnapshot) -> str:
    """Return whether the order's trigger waits for a rising or a falling price."""
    if order.trigger is None:
        return "UNSPECIFIED"
    return "Rising" if (order.trigger.tpsl is TpSl.SL) == order.is_buy else "Falling"


def plain(number: Decimal) -> str:
    """Return a number without exponent and without trailing zeros."""
    return f"{number.normalize():f}" if number else "0"
