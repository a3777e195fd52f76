"""What comes and goes about the kill switch."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.exchanges.models import TradingMode, TradingState, Veto
from apps.exchanges.models.vetoes import DEADLINE_SECONDS, SLIPPAGE_BPS
from apps.monitor.api.writes import Reason
from apps.risk.models import DrillRun, ReleaseRequest
from apps.risk.stopping import Status, needs_second_person, releases_waiting


class HaltAsked(BaseModel):
    """What to stop: `everything`, or a kind and a key such as strategy:turtle-btc."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"scope": "everything", "reason": "looks wrong"},
                {"scope": "strategy:turtle-btc", "mode": "halted", "flatten": True, "reason": "enough"},
            ]
        },
    )

    scope: str = Field(max_length=100)
    mode: Literal["halted", "reducing"] = Field("halted", description="reducing: exits still leave.")
    flatten: bool = Field(False, description="Close the positions as well.")
    urgency: Literal["patient", "brisk", "immediate"] = "immediate"
    deadline_seconds: int = Field(DEADLINE_SECONDS, ge=1, le=3_600)
    slippage_bps: int = Field(SLIPPAGE_BPS, ge=1, le=5_000)
    reason: Reason


class EngagedTold(BaseModel):
    """A halt that holds. `unreached` are the voices that could not be told; one voice is enough."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scope": "strategy:turtle-btc", "mode": "halted", "epoch": 4, "veto_ids": [17], "unreached": []}
            ]
        }
    )

    scope: str
    mode: str
    epoch: int
    veto_ids: list[int]
    unreached: list[str]


class StateTold(BaseModel):
    """The trading state of one scope."""

    scope: str
    mode: str
    reason: str
    actor: str
    changed_at: datetime
    epoch: int


class VetoTold(BaseModel):
    """A halt at one venue, and how far it has got."""

    id: int
    scope: str
    venue: str
    stage: str
    flatten: bool
    detail: str
    engaged_at: datetime


class ReleaseTold(BaseModel):
    """A wish to let a scope go on: waiting for a second person, released, or withdrawn."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 2, "scope": "strategy:turtle-btc", "state": "waiting", "reason": "mended",
                    "asked_by": "ana", "asked_at": "2026-11-26T12:00:00Z", "expires_at": "2026-11-26T13:00:00Z",
                    "closed_by": "", "closed_at": None,
                }
            ]
        }
    )  # fmt: skip

    id: int
    scope: str
    state: str
    reason: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    closed_by: str
    closed_at: datetime | None


class HaltTold(BaseModel):
    """What every voice says. The strictest of all scopes an order lies in binds it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "everything": "active", "halt_file": "active", "redis": {}, "needs_second_person": True,
                    "states": [
                        {
                            "scope": "account:paper-1", "mode": "active", "reason": "", "actor": "ana",
                            "changed_at": "2026-11-26T12:00:00Z", "epoch": 1,
                        }
                    ],
                    "unfinished": [], "releases": [],
                }
            ]
        }
    )  # fmt: skip

    everything: str
    halt_file: str
    redis: dict[str, str]
    states: list[StateTold]
    unfinished: list[VetoTold]
    releases: list[ReleaseTold]
    needs_second_person: bool


class DrillTold(BaseModel):
    """A rehearsal. Times in ms from the halt's commit; null: it did not come to that."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 1, "scope": "account:paper-1", "state": "passed", "asked_by": "ana",
                    "asked_at": "2026-11-26T12:00:00Z", "ended_at": "2026-11-26T12:00:02Z", "orders_before": 3,
                    "positions_before": 1, "first_cancel_ms": 80.0, "done_ms": 950.0, "problems": [],
                }
            ]
        }
    )  # fmt: skip

    id: int
    scope: str
    state: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    orders_before: int | None
    positions_before: int | None
    first_cancel_ms: float | None
    done_ms: float | None
    problems: list[str]


def halt_told(status: Status, now: datetime) -> HaltTold:
    """Return what every voice says."""
    states = [_state(row) for row in status.states]
    everything = next((one.mode for one in states if one.scope == "everything:*"), TradingMode.ACTIVE.value)
    return HaltTold(
        everything=everything,
        halt_file=status.halt_file.value,
        redis={":".join(scope): mode.value for scope, mode in status.redis},
        states=states,
        unfinished=[_veto(row) for row in status.unfinished],
        releases=[release_told(row) for row in releases_waiting(now)],
        needs_second_person=needs_second_person(),
    )


def release_told(row: ReleaseRequest) -> ReleaseTold:
    """Return a wish to release."""
    names = [name for name in ReleaseTold.model_fields if name != "scope"]
    return ReleaseTold(scope=f"{row.scope_kind}:{row.scope_key}", **{name: getattr(row, name) for name in names})


def drill_told(row: DrillRun) -> DrillTold:
    """Return a rehearsal."""
    names = [name for name in DrillTold.model_fields if name != "scope"]
    return DrillTold(scope=f"{row.scope_kind}:{row.scope_key}", **{name: getattr(row, name) for name in names})


def _state(row: TradingState) -> StateTold:
    names = ("mode", "reason", "actor", "changed_at", "epoch")
    return StateTold(scope=f"{row.scope_kind}:{row.scope_key}", **{name: getattr(row, name) for name in names})


def _veto(row: Veto) -> VetoTold:
    return VetoTold(
        id=row.pk, scope=f"{row.scope_kind}:{row.scope_key}", venue=row.venue_id, stage=row.stage, flatten=row.flatten,
        detail=row.detail, engaged_at=row.engaged_at,
    )  # fmt: skip
