"""What the record of a tick hands over to be carried out, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from moondev.domain.clock import require_aware
from moondev.domain.decisions import RiskApproved, RiskRefused
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import AmendOrder, CancelOrder, PlaceOrder


@dataclass(frozen=True, slots=True)
class OrderEntry:
    """One reviewed order on its way into the database.

    `reserved` is the exposure the reservation took for it, in quote currency (0 for one that reduces or was refused);
    `valid_until` ends its right to be sent; `arrival_price` is the mid price at planning, None when unknown.
    """

    outcome: RiskApproved[PlaceOrder] | RiskRefused
    account_id: int
    instrument_id: int
    strategy: str
    tick_id: str
    reserved: Decimal
    valid_until: datetime
    arrival_price: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a negative reservation and a naive time."""
        if self.reserved < 0:
            raise InvalidValue("reserved", self.reserved, "0 or more")
        require_aware("valid_until", self.valid_until)


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One wish to cancel or amend an order of the account; an amend has been reviewed."""

    request: CancelOrder | RiskApproved[AmendOrder]
    account_id: int
    strategy: str
    tick_id: str
    valid_until: datetime

    def __post_init__(self) -> None:
        """Refuse a naive time."""
        require_aware("valid_until", self.valid_until)

    @property
    def client_order_id(self) -> UUID:
        """Return which order it is about."""
        if isinstance(self.request, CancelOrder):
            return self.request.client_order_id
        return self.request.request.client_order_id


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is new in the database: order rows by client order id, and whose sender has work."""

    order_ids: Mapping[UUID, int]
    account_ids_with_work: frozenset[int]
