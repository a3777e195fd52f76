"""What comes and goes about backtests."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from apps.monitor.api.moments import Moment
from apps.strategies.backtest.keeping import record_get
from apps.strategies.backtest.verdict import doubts, verdict
from apps.strategies.models import BacktestRun, BacktestStatus

STATUSES = Literal["queued", "running", "done", "failed", "cancelled"]


class BacktestAsked(BaseModel):
    """What to try on what. Costs that are left out are the venue's own; fees are never off by default."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "strategy": "consolidation_pop", "preset": "original",
                    "data": ["bybit-linear_ETHUSDT_5m_202504-202507.parquet"], "capital": 100000,
                },
                {"strategy": "turtle-btc", "data": ["lake:hyperliquid:BTC:1h"], "parameters": {"n_bars": 30}},
            ]
        },
    )  # fmt: skip

    strategy: str = Field(description="A kind of strategy, or the slug of one that is set up.")
    preset: str = Field("", description="Parameters of the kind; canonical when left out.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Changes to those parameters.")
    data: list[str] = Field(default_factory=list, max_length=20, description="Files of the data folder, or lake names.")
    funding: list[str] | None = Field(None, max_length=20, description="None: what is recorded beside the data.")
    start: Moment | None = Field(None, description="Trade from then on; what is recorded before is history.")
    end: Moment | None = None
    capital: float | None = Field(None, gt=0)
    leverage: float | None = Field(None, gt=0)
    rule: Literal["next-open", "bar-close"] = "next-open"
    engine: Literal["auto", "replay", "vectorised", "quotes"] = Field("auto", description="quotes: on order books.")
    latency_ms: float = Field(5.0, ge=0, description="To the venue, and back; of order books.")
    shift_ms: float = Field(0.0, description="By which the recorder's clock was behind; of order books.")
    maker_bps: float | None = None
    taker_bps: float | None = None
    spread_bps: float = Field(0.0, ge=0)
    slippage_bps: float = Field(0.0, ge=0)


_LINE: JsonDict = {
    "id": 4, "title": "turtle_trend canonical on BTC 1h", "kind": "turtle_trend", "preset": "canonical",
    "strategy": "turtle-btc", "status": "running", "progress": 0.4, "asked_by": "ana",
    "asked_at": "2026-11-26T12:00:00Z", "started_at": "2026-11-26T12:00:01Z", "finished_at": None, "error": "",
    "metrics": None,
}  # fmt: skip


class BacktestTold(BaseModel):
    """One backtest as a line of a list. `metrics` are fractions and money; None until it is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    id: int
    title: str
    kind: str
    preset: str
    strategy: str | None
    status: STATUSES
    progress: float
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    metrics: dict[str, float | None] | None


class BacktestWhole(BacktestTold):
    """One backtest with all it was made from. `verdict` and `doubts` are words for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [_LINE | {"request": {"data": ["lake:hyperliquid:BTC:1h"]}, "facts": None, "verdict": None}]
        }
    )

    request: dict[str, Any]
    facts: dict[str, Any] | None
    verdict: str | None
    doubts: list[str]


class BacktestPage(BaseModel):
    """Newest first. `next_before` goes into `before` to read on; None at the end."""

    items: list[BacktestTold]
    next_before: int | None


def told(run: BacktestRun) -> BacktestTold:
    """Return a run as a line of a list."""
    return BacktestTold(**_columns(run))


def whole(run: BacktestRun) -> BacktestWhole:
    """Return a run with all it was made from."""
    if run.status != BacktestStatus.DONE:
        return BacktestWhole(**_columns(run), request=run.request, facts=None, verdict=None, doubts=[])
    record = record_get(run)
    return BacktestWhole(
        **_columns(run), request=run.request, facts=run.facts, verdict=verdict(record).words, doubts=doubts(record)
    )


def _columns(run: BacktestRun) -> dict[str, Any]:
    names = ("id", "title", "kind", "preset", "status", "progress", "asked_by", "asked_at", "started_at", "finished_at")
    return {
        **{name: getattr(run, name) for name in names},
        "strategy": run.strategy.slug if run.strategy else None,
        "error": run.error,
        "metrics": run.metrics or None,
    }
