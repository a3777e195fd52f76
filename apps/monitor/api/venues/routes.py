"""Venues, and how they do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from apps.exchanges.health.freshness import NEVER
from apps.exchanges.health.reports import UNHEARD, VenueReport, venue_reports
from apps.exchanges.market_data.cache import process_redis
from apps.exchanges.models import Venue
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import READ
from moondev.domain.errors import Connectivity

Reader = Annotated[Caller, Depends(allowed("exchanges.view_venue"))]

router = APIRouter(prefix="/venues", tags=["venues"])


class VenueTold(BaseModel):
    """One venue. `data_age_seconds` null: nothing was ever heard; `reasons` say what is wrong."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "hyperliquid", "environment": "paper", "enabled": True, "state": "ok", "reasons": [],
                    "state_seconds": 3600.0, "data_age_seconds": 0.12, "visible_ms": 1.4, "requests": 120, "errors": 0,
                    "messages": 81234,
                }
            ]
        }
    )  # fmt: skip

    code: str
    environment: str
    enabled: bool
    state: str
    reasons: list[str]
    state_seconds: float
    data_age_seconds: float | None
    visible_ms: float
    requests: int
    errors: int
    messages: int


class VenueList(BaseModel):
    """Every venue, by its code."""

    items: list[VenueTold]


@router.get("", responses=READ)
async def listed(_: Reader) -> VenueList:
    """List venues with state, age of the data, requests and errors."""
    return await in_thread(_listed)


def _listed() -> VenueList:
    rows = list(Venue.objects.order_by("code"))
    try:
        reports = venue_reports(process_redis(), [row.code for row in rows])
    except Connectivity:
        reports = {}
    return VenueList(items=[_told(row, reports.get(row.code, UNHEARD)) for row in rows])


def _told(row: Venue, report: VenueReport) -> VenueTold:
    return VenueTold(
        code=row.code,
        environment=row.environment,
        enabled=row.enabled,
        state=report.state.value,
        reasons=list(report.reasons),
        state_seconds=report.state_seconds,
        data_age_seconds=None if report.data_age_seconds >= NEVER else report.data_age_seconds,
        visible_ms=report.visible_seconds * 1000,
        requests=report.requests,
        errors=report.errors,
        messages=report.messages,
    )
