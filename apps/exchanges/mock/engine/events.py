"""What the engine tells its listeners.

Events are delivered in order, after the request that caused them is complete, so a listener always
sees a consistent engine. BookChanged and BarUpdated carry no data: ask when you need it, and skip
those you have no time for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from apps.exchanges.mock.engine.api import Candle, Fill, FundingPayment, OrderSnapshot, Trade


@dataclass(frozen=True, slots=True)
class BookChanged:
    """Some price of this coin's book changed; at most one per coin and request."""

    coin: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class TradePrinted:
    """A public trade."""

    trade: Trade


@dataclass(frozen=True, slots=True)
class OrderUpdated:
    """An order was accepted, changed or ended; `order.status` and `order.reason` say how."""

    address: str
    order: OrderSnapshot
    time_ms: int


@dataclass(frozen=True, slots=True)
class UserFill:
    """An execution of `address`."""

    address: str
    fill: Fill


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """`address` paid or received funding."""

    address: str
    payment: FundingPayment


@dataclass(frozen=True, slots=True)
class BarUpdated:
    """The bars in progress of this coin changed; at most one per coin and request."""

    coin: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar that will not change any more."""

    candle: Candle


@dataclass(frozen=True, slots=True)
class MarkChanged:
    """The mark or oracle price of a coin moved."""

    coin: str
    mark: Decimal
    oracle: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class Liquidated:
    """Positions of `address` are being ended by force; what it had and held just before.

    `value` is the margin behind them, unrealised profit included; `sizes` are signed, by coin; `takeover`: by the
    venue's fund, not in the book.
    """

    address: str
    is_cross: bool
    takeover: bool
    value: Decimal
    notional: Decimal
    sizes: tuple[tuple[str, Decimal], ...]
    time_ms: int


Event: TypeAlias = (
    BookChanged
    | TradePrinted
    | OrderUpdated
    | UserFill
    | FundingPaid
    | BarUpdated
    | BarClosed
    | MarkChanged
    | Liquidated
)
Listener: TypeAlias = Callable[[Event], None]
