"""What comes and goes about accounts, positions and fills."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from apps.exchanges.models import Account
from apps.monitor.api.amounts import Amount
from apps.monitor.api.writes import Reason
from moondev.domain.portfolio import Holding


class AccountTold(BaseModel):
    """One account; `mode` is its own trading state: one that nobody has released yet is halted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "paper-1", "venue": "hyperliquid", "environment": "paper", "portfolio": "paper",
                    "currency": "USDC", "address": "0xabc", "shared": False, "enabled": True, "mode": "active",
                    "unreconciled": False, "differing": [],
                }
            ]
        }
    )  # fmt: skip

    code: str
    venue: str
    environment: str
    portfolio: str
    currency: str
    address: str
    shared: bool
    enabled: bool
    mode: str
    unreconciled: bool
    differing: list[str]


class AccountList(BaseModel):
    """Every account, by its code."""

    items: list[AccountTold]


class PositionTold(BaseModel):
    """What one owner holds of one instrument on one account. `quantity` is signed, `cost` what it was bought for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 7, "account": "paper-1", "strategy": "turtle-btc", "instrument": "hyperliquid:BTC",
                    "quantity": "0.25", "cost": "25000", "realised": "120", "fees": "4.5", "funding": "-0.8",
                    "opened_at": "2026-11-26T12:00:00Z", "updated_at": "2026-11-26T12:30:00Z",
                }
            ]
        }
    )  # fmt: skip

    id: int
    account: str
    strategy: str
    instrument: str
    quantity: Amount
    cost: Amount
    realised: Amount
    fees: Amount
    funding: Amount
    opened_at: datetime | None
    updated_at: datetime


class FillTold(BaseModel):
    """One trade. `fee` is positive when paid; `order_id` null: nobody knows yet whose it was."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 99, "account": "paper-1", "strategy": "turtle-btc", "instrument": "hyperliquid:BTC",
                    "order_id": 12, "side": "buy", "price": "100000", "quantity": "0.25", "fee": "11.25",
                    "realised": "0", "liquidity": "taker", "kind": "order", "venue_trade_id": "55",
                    "time_exchange": "2026-11-26T12:00:00Z", "time_received": "2026-11-26T12:00:00.020Z",
                }
            ]
        }
    )  # fmt: skip

    id: int
    account: str
    strategy: str
    instrument: str
    order_id: int | None
    side: str
    price: Amount
    quantity: Amount
    fee: Amount
    realised: Amount
    liquidity: str
    kind: str
    venue_trade_id: str
    time_exchange: datetime
    time_received: datetime


class Handover(BaseModel):
    """Whose position, in what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"strategy": "turtle-btc", "instrument": "hyperliquid:BTC", "reason": "news at three"}]
        },
    )

    strategy: str = Field(max_length=64)
    instrument: str = Field(max_length=80)
    reason: Reason


class HeldTold(BaseModel):
    """What the new owner holds now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"owner": "hand-paper-1", "quantity": "0.25", "cost": "25000"}]}
    )

    owner: str
    quantity: Amount
    cost: Amount


def account_told(row: Account, mode: str) -> AccountTold:
    """Return an account."""
    return AccountTold(
        code=row.code, venue=row.venue_id, environment=row.venue.environment, portfolio=row.portfolio_id,
        currency=row.currency, address=row.address, shared=row.shared, enabled=row.enabled, mode=mode,
        unreconciled=row.unreconciled, differing=[str(one) for one in row.differing],
    )  # fmt: skip


def held_told(owner: str, held: Holding) -> HeldTold:
    """Return what somebody holds."""
    return HeldTold(owner=owner, quantity=held.quantity, cost=held.cost)
