"""What comes and goes about strategies."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from apps.monitor.api.amounts import Amount
from apps.monitor.api.writes import Reason
from apps.strategies.admin.overview import Overview, outcome, state_of
from apps.strategies.models import Stage, StrategyEvent, StrategyRow, Tick
from apps.strategies.promotion.gates import Verdict

STATES = Literal["enabled", "paused", "disabled"]
Money = Annotated[Decimal, Field(ge=0, le=Decimal(10) ** 12, max_digits=24, decimal_places=12)]


TICK: JsonDict = {
    "id": 812, "trigger": "bar", "due_at": "2026-11-26T12:00:00Z", "status": "done", "outcome": "1 placed",
    "decide_ms": 1.4, "started_at": "2026-11-26T12:00:00.010Z", "finished_at": "2026-11-26T12:00:00.052Z",
    "report": {"desired": [], "notes": ["breakout"]}, "error": "",
}  # fmt: skip


class TickTold(BaseModel):
    """One time a strategy decided: `report` says what it saw, wanted and why, `stages_ms` how long each stage took."""

    model_config = ConfigDict(json_schema_extra={"examples": [TICK]})

    id: int
    trigger: str
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    status: str
    outcome: str
    decide_ms: float | None
    report: dict[str, Any]
    error: str


class StrategyTold(BaseModel):
    """One strategy now. `mode` is its own trading state, `realised` its profit after fees and funding."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "slug": "turtle-btc", "kind": "turtle_trend", "account": "paper-1", "state": "enabled",
                    "paused_reason": "", "stage": "paper", "mode": "active", "capital": "50000", "currency": "USDC",
                    "holdings": ["0.25 BTC"], "realised": "120.5", "last_tick": None,
                }
            ]
        }
    )  # fmt: skip

    slug: str
    kind: str
    account: str
    state: STATES
    paused_reason: str
    stage: str
    mode: str
    capital: Amount
    currency: str
    holdings: list[str]
    realised: Amount
    last_tick: TickTold | None


class StrategyPage(BaseModel):
    """By name. `next_after` goes into `after` to read on; null at the end."""

    items: list[StrategyTold]
    next_after: str | None = Field(examples=["turtle-btc"])


class Settings(BaseModel):
    """What may be set of a strategy. GET gives its ETag."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "parameters": {"n_bars": 20}, "parameters_version": 3, "trigger": "bar", "cadence_seconds": 3600,
                    "priority": 5, "deadline_ms": 5000, "capital": "50000", "leverage": "1", "slippage_bps": "50",
                }
            ]
        }
    )  # fmt: skip

    parameters: dict[str, Any]
    parameters_version: int
    trigger: str
    cadence_seconds: int
    priority: int
    deadline_ms: int
    capital: Amount
    leverage: Amount
    slippage_bps: Amount


class SettingsChanged(BaseModel):
    """What to change; what is left out stays. `parameters` are the changed ones only."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"parameters": {"n_bars": 30}, "reason": "slower market"}]}
    )

    reason: Reason
    parameters: dict[str, Any] | None = None
    cadence_seconds: int | None = Field(None, ge=1, le=86_400)
    priority: int | None = Field(None, ge=0, le=9)
    deadline_ms: int | None = Field(None, ge=1, le=600_000)
    capital: Money | None = None
    leverage: Annotated[Decimal, Field(gt=0, le=100, decimal_places=2)] | None = None
    slippage_bps: Annotated[Decimal, Field(ge=0, le=5_000, decimal_places=2)] | None = None


class EventTold(BaseModel):
    """Something that happened to a strategy."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": 5, "at": "2026-11-26T12:00:00Z", "kind": "paused", "message": "by ana: news"}]
        }
    )

    id: int
    at: datetime
    kind: str
    message: str


class GateTold(BaseModel):
    """One gate before the next stage; `passed` null: the evidence does not tell."""

    requirement: str
    passed: bool | None
    words: str


class StageTold(BaseModel):
    """How far a strategy has come, and what stands before the next stage."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "stage": "paper", "next": "limited_live",
                    "gates": [{"requirement": "days", "passed": False, "words": "3 of 30 days"}],
                }
            ]
        }
    )  # fmt: skip

    stage: str
    next: str | None
    gates: list[GateTold]


class Step(BaseModel):
    """A step to another stage. `account` is where real money is, for the step away from paper."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"to": "paper", "reason": "thirty days as expected"}]}
    )

    to: Stage
    reason: Reason
    account: str | None = Field(None, max_length=32)


def tick_told(tick: Tick) -> TickTold:
    """Return a tick with what came of it."""
    names = ("id", "trigger", "due_at", "started_at", "finished_at", "status", "decide_ms", "report", "error")
    return TickTold(outcome=outcome(tick), **{name: getattr(tick, name) for name in names})


def strategy_told(row: StrategyRow, seen: Overview) -> StrategyTold:
    """Return a strategy with how it is doing."""
    return StrategyTold(
        slug=row.slug, kind=row.kind, account=row.account.code, state=state_of(row), paused_reason=row.paused_reason,
        stage=row.stage, mode=seen.mode.value, capital=row.capital, currency=row.account.currency,
        holdings=list(seen.holdings), realised=seen.realised,
        last_tick=None if seen.last_tick is None else tick_told(seen.last_tick),
    )  # fmt: skip


def settings_told(row: StrategyRow) -> Settings:
    """Return what may be set of a strategy."""
    return Settings(**{name: getattr(row, name) for name in Settings.model_fields})


def event_told(event: StrategyEvent) -> EventTold:
    """Return an event."""
    return EventTold(id=event.pk, at=event.at, kind=event.kind, message=event.message)


def gate_told(verdict: Verdict) -> GateTold:
    """Return what a gate says."""
    return GateTold(requirement=verdict.requirement, passed=verdict.passed, words=verdict.words)
