"""Trades of ours, as the venue reported them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from moondev.domain.clock import require_aware
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Money, Price, Quantity, Side


class Liquidity(StrEnum):
    """Whether the fill made or took the market; decides the fee."""

    MAKER = "maker"
    TAKER = "taker"


class FillKind(StrEnum):
    """Why it traded. Anything but ORDER happened without our asking and raises an alarm."""

    ORDER = "order"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"


@dataclass(frozen=True, slots=True)
class FillReport:
    """One fill. (account, `venue_trade_id`) is unique for ever; `fee` is positive when paid.

    `client_order_id` None means the venue did not say; `symbol` is the venue's name.
    """

    venue_trade_id: str
    venue_order_id: str
    client_order_id: UUID | None
    symbol: str
    side: Side
    price: Price
    quantity: Quantity
    fee: Money
    liquidity: Liquidity
    time_exchange: datetime
    time_received: datetime
    kind: FillKind = FillKind.ORDER

    def __post_init__(self) -> None:
        """Refuse a fill of nothing, without an id or with naive times."""
        if not self.quantity:
            raise InvalidValue("fill quantity", self.quantity.value, "a number above 0")
        if not self.venue_trade_id:
            raise InvalidValue("venue_trade_id", self.venue_trade_id, "the venue's trade id")
        require_aware("time_exchange", self.time_exchange)
        require_aware("time_received", self.time_received)
