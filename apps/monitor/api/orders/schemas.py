"""What comes and goes about orders."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from apps.exchanges.models import Order
from apps.monitor.api.accounts.schemas import FillTold
from apps.monitor.api.amounts import Amount, Wanted
from apps.monitor.api.moments import Moment
from apps.monitor.api.paging import LARGEST_ID
from apps.monitor.api.writes import Reason
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Side

# As many as amounts are kept with.
PLACES = Decimal("1e-12")
_ORDER: JsonDict = {
    "id": 12, "client_order_id": "5b1f3a52-9a52-5b57-8d0c-0f2f6f0e6d6f", "venue_order_id": "771", "account": "paper-1",
    "strategy": "turtle-btc", "instrument": "hyperliquid:BTC", "side": "buy", "order_type": "limit",
    "time_in_force": "gtc", "purpose": "opening", "quantity": "0.25", "price": "99000", "trigger_price": None,
    "status": "open", "filled_quantity": "0", "average_price": None, "reason": "", "refusal_code": "", "tick_id": "812",
    "created_at": "2026-11-26T12:00:00Z", "sent_at": "2026-11-26T12:00:00.030Z",
    "acknowledged_at": "2026-11-26T12:00:00.090Z", "closed_at": None,
}  # fmt: skip


class OrderTold(BaseModel):
    """One order. `average_price` is over what has filled."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ORDER]})

    id: int
    client_order_id: UUID
    venue_order_id: str
    account: str
    strategy: str
    instrument: str
    side: str
    order_type: str
    time_in_force: str
    purpose: str
    quantity: Amount
    price: Amount
    trigger_price: Amount | None
    status: str
    filled_quantity: Amount
    average_price: Amount | None
    reason: str
    refusal_code: str
    tick_id: str
    created_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None


class OrderFilter(BaseModel):
    """Which orders; all that are named must hold. `live`: only those that have not ended, or only those that have."""

    model_config = ConfigDict(extra="forbid")

    account: str | None = Field(None, max_length=32)
    strategy: str | None = Field(None, max_length=64)
    instrument: str | None = Field(None, max_length=80)
    status: OrderStatus | None = None
    live: bool | None = None
    since: Moment | None = Field(None, description="Only those created from then on.")
    until: Moment | None = Field(None, description="Only those created before then.")
    before: int | None = Field(None, ge=1, le=LARGEST_ID, description="Only what came before this one.")
    limit: int = Field(50, ge=1, le=500, description="How many at most.")


class StepTold(BaseModel):
    """One step of an order's life. `ms` counts from its creation."""

    at: datetime
    ms: float
    source: str
    status_from: str
    status_to: str
    detail: str


class OrderWhole(OrderTold):
    """One order with its whole life: each step, each fill, and how long each stage took, in milliseconds.

    `tick_to_decision` and `decision_to_row` are known of an order that a tick placed.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _ORDER
                | {
                    "steps": [
                        {
                            "at": "2026-11-26T12:00:00Z", "ms": 0, "source": "tick", "status_from": "created",
                            "status_to": "approved", "detail": "",
                        }
                    ],
                    "fills": [],
                    "stages_ms": {"row_to_sent": 30.0, "sent_to_acknowledged": 60.0},
                    "arrival_price": "99010", "refusal_limit": "", "refusal_value": "", "by_hand": "",
                }
            ]
        }
    )  # fmt: skip

    arrival_price: Amount | None
    refusal_limit: str
    refusal_value: str
    by_hand: str
    steps: list[StepTold]
    fills: list[FillTold]
    stages_ms: dict[str, float]


class OrderAsked(BaseModel):
    """An order by hand. Without a price it is at the market; `stop` and `take_profit` protect what it opens."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "account": "paper-1", "instrument": "hyperliquid:BTC", "side": "buy", "quantity": "0.25",
                    "price": "99000", "stop": "95000", "reason": "hedge",
                }
            ]
        },
    )  # fmt: skip

    account: str = Field(max_length=32)
    instrument: str = Field(max_length=80)
    side: Side
    quantity: Wanted
    price: Wanted | None = None
    time_in_force: Literal["gtc", "ioc", "fok", "post_only"] = "gtc"
    stop: Wanted | None = None
    take_profit: Wanted | None = None
    reason: Reason


class OrdersPlaced(BaseModel):
    """The order, or two of them: one that closes a position and one that opens the opposite."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_ORDER | {"status": "approved"}]}]})

    items: list[OrderTold]


def order_told(row: Order) -> OrderTold:
    """Return an order as a line of a list; `lines` writes the same."""
    average = row.filled_notional / row.filled_quantity if row.filled_quantity else None
    return OrderTold(
        **{name: getattr(row, name) for name in _NAMES},
        account=row.account.code,
        instrument=row.instrument.key,
        average_price=None if average is None else average.quantize(PLACES, ROUND_HALF_UP),
    )


_NAMES = (
    "id", "client_order_id", "venue_order_id", "strategy", "side", "order_type", "time_in_force", "purpose", "quantity",
    "price", "trigger_price", "status", "filled_quantity", "reason", "refusal_code", "tick_id", "created_at", "sent_at",
    "acknowledged_at", "closed_at",
)  # fmt: skip
