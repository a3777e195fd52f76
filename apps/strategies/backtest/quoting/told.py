"""What the venue tells us of our orders, and when it said so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from moondev.domain.fills import Liquidity
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Side


class Fills(StrEnum):
    """How much of a resting order fills once its turn in the queue has come.

    PARTIAL: as much as comes through to it. WHOLE: all of it at once, the optimist's rule.
    """

    PARTIAL = "partial"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of ours at the venue, at `at_ns` on its clock. `fee` is positive when paid, in quote currency."""

    client_order_id: UUID
    instrument: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: Liquidity
    at_ns: int


@dataclass(frozen=True, slots=True)
class Update:
    """How an order stands: its price, what it was for and what may still fill; `reason` says why it ended."""

    client_order_id: UUID
    instrument: str
    status: OrderStatus
    price: Decimal
    quantity: Decimal
    remaining: Decimal
    at_ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue did not do what we asked; `placing` tells a new order from a change of one that may have ended."""

    client_order_id: UUID
    instrument: str
    placing: bool
    at_ns: int
    reason: str


Told = Fill | Update | Refused
