"""Binance's names for what the engine knows: symbols, order types, times in force, statuses."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from apps.exchanges.mock.engine.api import (
    CancelReason,
    InstrumentSpec,
    OrderSnapshot,
    OrderStatus,
    RejectCode,
    SelfTrade,
    Tif,
)

VENUE = "binance"
QUOTE = "USDT"
LIMIT, MARKET, TRAILING = "LIMIT", "MARKET", "TRAILING_STOP_MARKET"
STOPS = frozenset({"STOP", "STOP_MARKET"})
PROFITS = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_MARKET"})
TRIGGERED = STOPS | PROFITS | {TRAILING}
LIMIT_TRIGGERED = frozenset({"STOP", "TAKE_PROFIT"})
TIMES: Mapping[str, Tif] = MappingProxyType(
    {"GTC": Tif.GTC, "IOC": Tif.IOC, "FOK": Tif.FOK, "GTX": Tif.ALO, "GTD": Tif.GTC}
)
# Whom the venue lets end when an account would trade with itself.
SELF_TRADES: Mapping[str, SelfTrade] = MappingProxyType(
    {
        "EXPIRE_MAKER": SelfTrade.CANCEL_MAKER,
        "EXPIRE_TAKER": SelfTrade.CANCEL_TAKER,
        "EXPIRE_BOTH": SelfTrade.CANCEL_BOTH,
        "NONE": SelfTrade.ALLOW,
    }
)
INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w")
SATOSHI = Decimal("1e-8")
# What the engine refuses, and the venue accepts and lets expire at once.
_EXPIRES = frozenset({RejectCode.IOC_NO_MATCH, RejectCode.FOK_NO_MATCH, RejectCode.NO_LIQUIDITY})
_WISHED = frozenset({CancelReason.USER, CancelReason.SCHEDULED, CancelReason.LIQUIDATED})
REMEMBERED = 100_000


def symbol_of(coin: str) -> str:
    """Return the venue's symbol of a perpetual, which the engine calls by its coin, or of a spot pair."""
    return coin.replace("/", "") if "/" in coin else coin + QUOTE


def text(number: Decimal) -> str:
    """Return a number as the venue writes it: never with an exponent."""
    return f"{number:f}"


def money(number: Decimal) -> str:
    """Return an amount with the venue's eight decimals."""
    return f"{number.quantize(SATOSHI):f}"


def tick_of(spec: InstrumentSpec) -> Decimal:
    """Return the price step."""
    return spec.tick or Decimal(1).scaleb(-spec.price_max_decimals)


def price(spec: InstrumentSpec, number: Decimal) -> str:
    """Return a price with the decimals of the instrument's step."""
    return f"{number.quantize(tick_of(spec)):f}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What the engine does not keep of an order: how it was asked for.

    `algo_id` 0: no conditional order stands behind it.
    """

    order_type: str
    time_in_force: str
    original_type: str = ""
    close_position: bool = False
    algo_id: int = 0
    stop_price: str = "0"
    working_type: str = "CONTRACT_PRICE"
    self_trade: str = "EXPIRE_MAKER"
    good_till_ms: int = 0


# What the venue itself sends when it liquidates.
LIQUIDATION = Kind(LIMIT, "IOC")


class Kinds:
    """Kinds by account and client order id, the newest remembered."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        """Remember `capacity` orders."""
        self._kinds: OrderedDict[tuple[str, str], Kind] = OrderedDict()
        self._capacity = capacity

    def note(self, account: str, client_id: str, kind: Kind) -> None:
        """Keep how an order is asked for; before it is placed, so that its first news can say so."""
        self._kinds.pop((account, client_id), None)
        self._kinds[account, client_id] = kind
        if len(self._kinds) > self._capacity:
            self._kinds.popitem(last=False)

    def of(self, account: str, client_id: str | None) -> Kind:
        """Return how an order was asked for."""
        return self._kinds.get((account, client_id or ""), LIQUIDATION)


def on_record(order: OrderSnapshot) -> bool:
    """Return whether the venue knows this order: what it refuses it forgets."""
    return order.status is not OrderStatus.REJECTED or order.reason in _EXPIRES


def status(order: OrderSnapshot) -> str:
    """Return the venue's status of an order."""
    if order.status is OrderStatus.FILLED:
        return "FILLED"
    if order.status is OrderStatus.REJECTED:
        return "EXPIRED"
    if order.status is OrderStatus.CANCELED:
        if order.reason is CancelReason.SELF_TRADE:
            return "EXPIRED_IN_MATCH"
        return "CANCELED" if order.reason in _WISHED else "EXPIRED"
    return "PARTIALLY_FILLED" if order.filled else "NEW"
