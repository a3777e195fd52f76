"""What everything is worth and has made: now, and over time."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from apps.monitor.api.amounts import Amount
from apps.monitor.api.moments import Moment
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import READ, WRITE
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.series import equity_series
from apps.risk.portfolio.truth import read_truth
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

Reader = Annotated[Caller, Depends(allowed("exchanges.view_position"))]
MOST_POINTS = 5_000

router = APIRouter(tags=["pnl"])


class FiguresTold(BaseModel):
    """What one thing is worth, risks and has made, in `currency`. Null is unknown, never zero; `why` says why."""

    currency: str
    equity: Amount | None
    gross_exposure: Amount | None
    net_exposure: Amount | None
    margin_used: Amount | None
    margin_free: Amount | None
    realised: Amount | None
    unrealised: Amount | None
    fees: Amount | None
    funding: Amount | None
    slippage: Amount | None
    net_profit: Amount | None
    why: str
    taken_at: datetime | None


_FIGURES: JsonDict = {
    "currency": "USDC", "equity": "250120.5", "gross_exposure": "40000", "net_exposure": "12000",
    "margin_used": "4000", "margin_free": "246000", "realised": "140", "unrealised": "20.5", "fees": "30",
    "funding": "-10", "slippage": "12", "net_profit": "120.5", "why": "", "taken_at": "2026-11-26T12:00:00Z",
}  # fmt: skip


class TruthTold(BaseModel):
    """The figures of one environment in one currency: everything together, and each part by its name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "environment": "paper", "currency": "USDC", "total": _FIGURES, "portfolios": {"paper": _FIGURES},
                    "accounts": {}, "venues": {}, "strategies": {}, "assets": {},
                }
            ]
        }
    )  # fmt: skip

    environment: str
    currency: str
    total: FiguresTold
    portfolios: dict[str, FiguresTold]
    accounts: dict[str, FiguresTold]
    venues: dict[str, FiguresTold]
    strategies: dict[str, FiguresTold]
    assets: dict[str, FiguresTold]


class EquityTold(BaseModel):
    """Equity on a grid: one number for the end of each step, null where nothing is known.

    `growth` is what one unit has become with deposits and withdrawals taken out; `drawdown` the share below its peak.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scope": "total:paper", "at": ["2026-11-26T12:01:00Z", "2026-11-26T12:02:00Z"],
                    "equity": [250000.0, None], "growth": [1.0, None], "drawdown": [0.0, None],
                }
            ]
        }
    )  # fmt: skip

    scope: str
    at: list[datetime]
    equity: list[float | None]
    growth: list[float | None]
    drawdown: list[float | None]


@router.get("/pnl", responses=READ)
async def pnl(
    _: Reader,
    environment: Annotated[
        Literal["live", "testnet", "paper"] | None, Query(description="Left out: the most real one there is.")
    ] = None,
) -> TruthTold:
    """Return equity, exposure, margin and profit of everything, by portfolio, account, venue, strategy and asset."""
    return await in_thread(_truth, environment)


@router.get("/equity", responses=WRITE)
async def equity(
    _: Reader,
    scope: Annotated[str, Query(max_length=80, description="total:<environment>, or portfolio:, account:, strategy:")],
    start: Moment,
    end: Moment,
    step_seconds: Annotated[float, Query(ge=1, le=31_536_000)] = 60,
) -> EquityTold:
    """Return the equity of a scope over time."""
    return await in_thread(_series, scope, start, end, timedelta(seconds=step_seconds))


def _truth(environment: str | None) -> TruthTold:
    truth = read_truth(process_clock().now(), environment)
    levels = ("portfolios", "accounts", "venues", "strategies", "assets")
    parts = {level: {key: _told(one) for key, one in getattr(truth, level).items()} for level in levels}
    return TruthTold(environment=truth.environment, currency=truth.currency, total=_told(truth.total), **parts)


def _told(figures: Figures) -> FiguresTold:
    return FiguresTold(**{name: getattr(figures, name) for name in FiguresTold.model_fields})


def _series(scope: str, start: datetime, end: datetime, step: timedelta) -> EquityTold:
    kind, _, key = scope.partition(":")
    if kind not in {"total", "portfolio", "account", "strategy"} or not key:
        raise InvalidValue("scope", scope, "total:<environment>, portfolio:<code>, account:<code> or strategy:<slug>")
    if (end - start) / step > MOST_POINTS:
        raise InvalidValue("step_seconds", step.total_seconds(), f"at most {MOST_POINTS} steps from start to end")
    series = equity_series((kind, key), start, end, step)
    growth = [_number(one) for one in series.growth]
    return EquityTold(
        scope=scope,
        at=list(series.at),
        equity=[_number(one) for one in series.equity],
        growth=growth,
        drawdown=_drawdown(growth),
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _drawdown(growth: list[float | None]) -> list[float | None]:
    peak, below = 0.0, []
    for one in growth:
        peak = max(peak, one or 0.0)
        below.append(None if one is None or peak <= 0 else 1 - one / peak)
    return below
