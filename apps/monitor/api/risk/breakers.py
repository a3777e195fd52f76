"""Circuit breakers: how each stands in each scope, and letting one go on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from apps.monitor.api.amounts import Amount
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, READ, WRITE, Reason
from apps.risk.breakers.keeper import breaker_reset
from apps.risk.models import Breaker, BreakerState
from apps.risk.scope import parse_scope
from moondev.domain.clock import process_clock

Reader = Annotated[Caller, Depends(allowed("risk.view_breakerstate"))]
Resetter = Annotated[Caller, Depends(critical("risk.change_breakerstate"))]

router = APIRouter(prefix="/risk/breakers", tags=["risk"])


class StandsTold(BaseModel):
    """How a breaker stands in one scope; `reading` null is not known."""

    scope: str
    mode: str
    since: datetime
    reading: Amount | None
    looked_at: datetime


class BreakerTold(BaseModel):
    """One breaker: what trips it, what it does, and how it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "day-loss", "metric": "day_loss", "threshold": "0.05", "window_seconds": 0,
                    "cool_down_seconds": 1800, "recovery": "automatic", "stops_opening": True, "halts": False,
                    "close_share": "0.5", "half_open_share": "0.25", "enabled": True,
                    "stands": [
                        {
                            "scope": "portfolio:paper", "mode": "closed", "since": "2026-11-26T12:00:00Z",
                            "reading": "0.002", "looked_at": "2026-11-26T12:30:00Z",
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    code: str
    metric: str
    threshold: Amount
    window_seconds: int
    cool_down_seconds: int
    recovery: str
    stops_opening: bool
    halts: bool
    close_share: Amount
    half_open_share: Amount
    enabled: bool
    stands: list[StandsTold]


class BreakerList(BaseModel):
    """Every breaker, by its code."""

    items: list[BreakerTold]


class Reset(BaseModel):
    """Which open breaker to let go on, and where."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"code": "drawdown", "scope": "strategy:turtle-btc", "reason": "one bad print, mended"}]
        },
    )

    code: str = Field(max_length=40)
    scope: str = Field(max_length=100)
    reason: Reason


@router.get("", responses=READ)
async def listed(_: Reader) -> BreakerList:
    """List breakers with how each stands."""
    return await in_thread(_listed)


@router.post("/reset", responses=WRITE, dependencies=KEYED)
async def reset(asked: Reset, caller: Resetter) -> StandsTold:
    """Let an open breaker go on: what it stopped is released, at a part of its size first."""
    return await in_thread(_reset, asked, caller.username)


def _listed() -> BreakerList:
    stands: dict[int, list[StandsTold]] = {}
    for state in BreakerState.objects.order_by("scope_kind", "scope_key"):
        stands.setdefault(state.breaker_id, []).append(_stands(state))
    return BreakerList(items=[_told(row, stands.get(row.pk, [])) for row in Breaker.objects.order_by("code")])


def _reset(asked: Reset, actor: str) -> StandsTold:
    scope = parse_scope(asked.scope)
    now = process_clock().now()
    return _stands(breaker_reset(code=asked.code, scope=scope, actor=actor, reason=asked.reason, now=now))


def _told(row: Breaker, stands: list[StandsTold]) -> BreakerTold:
    names = [name for name in BreakerTold.model_fields if name != "stands"]
    return BreakerTold(stands=stands, **{name: getattr(row, name) for name in names})


def _stands(state: BreakerState) -> StandsTold:
    return StandsTold(
        scope=f"{state.scope_kind}:{state.scope_key}", mode=state.mode, since=state.since, reading=state.reading,
        looked_at=state.looked_at,
    )  # fmt: skip
