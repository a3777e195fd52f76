"""Service level objectives: how each stands."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import READ
from apps.monitor.health.slos.standing import Standing, standings
from moondev.domain.clock import process_clock

Reader = Annotated[Caller, Depends(allowed("monitor.view_slo"))]

# Minutes are measured once in sixty seconds.
KEPT_SECONDS = 15

router = APIRouter(prefix="/slos", tags=["health"])


class SloTold(BaseModel):
    """One objective and how it stands over its window.

    `share`, `budget_left` and the burn rates are null where nothing happened. `budget_left` is 1 when all of the error
    budget is left and below 0 when it is overdrawn; a burn rate of 1 uses it up in one window. Of the window's
    `minutes` so far, `unknown_minutes` were measured by nobody: they count neither as good nor as bad.
    """

    slug: str
    title: str
    indicator: str
    scope: str
    objective: Decimal
    window_days: int
    threshold_ms: int | None
    good: int
    total: int
    share: float | None
    met: bool | None
    budget_left: float | None
    burn: dict[str, float | None]
    minutes: int
    unknown_minutes: int


class SloList(BaseModel):
    """Every objective that is switched on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-11-26T12:00:00Z",
                    "items": [
                        {
                            "slug": "submit-to-acknowledge", "title": "Submit to acknowledge",
                            "indicator": "submit_to_acknowledge", "scope": "", "objective": "0.99000",
                            "window_days": 28, "threshold_ms": 1000, "good": 5980, "total": 6000, "share": 0.996667,
                            "met": True, "budget_left": 0.666667, "burn": {"1h": 0.0, "6h": 0.5, "3d": 0.3},
                            "minutes": 40320, "unknown_minutes": 12,
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    at: datetime
    items: list[SloTold]


@router.get("", responses=READ)
async def listed(_: Reader) -> SloList:
    """List objectives with what was good, what is left of each error budget, and how fast it goes."""
    return await in_thread(_listed)


def _listed() -> SloList:
    """Reckon at most once in KEPT_SECONDS, however many ask: a window is some hundred thousand minutes."""
    now = process_clock().now()
    return reckoned(datetime.fromtimestamp(now.timestamp() // KEPT_SECONDS * KEPT_SECONDS, tz=UTC))


@lru_cache(maxsize=1)
def reckoned(at: datetime) -> SloList:
    """Return how every objective stands at a moment."""
    return SloList(at=at, items=[_told(found) for found in standings(at)])


def _told(found: Standing) -> SloTold:
    slo = found.slo
    return SloTold(
        slug=slo.slug, title=slo.title, indicator=slo.indicator, scope=slo.scope, objective=slo.objective,
        window_days=slo.window_days, threshold_ms=slo.threshold_ms, good=found.count.good, total=found.count.total,
        share=_rounded(found.count.share), met=found.met, budget_left=_rounded(found.budget_left),
        burn={window: _rounded(rate) for window, rate in found.burn.items()}, minutes=found.minutes,
        unknown_minutes=found.unknown_minutes,
    )  # fmt: skip


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 6)
