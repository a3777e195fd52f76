"""Deep health: every part of the platform, with why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import READ
from apps.monitor.health.deep import look_deep
from apps.monitor.health.states import Component, Kind, State, worst
from moondev.domain.clock import LiveClock

Reader = Annotated[Caller, Depends(allowed("exchanges.view_venue"))]

router = APIRouter(prefix="/health", tags=["health"])


class ComponentTold(BaseModel):
    """One part. `since` null: longer than anybody looked; `latency_ms` how long asking took, where something is asked.

    `instances` is how many of it work: processes of one name, or the streams of a venue.
    """

    component: str
    kind: Kind
    state: State
    since: datetime | None
    detail: str
    latency_ms: float | None
    instances: int


class HealthTold(BaseModel):
    """Every part: servers, venues, processes. `state` is that of the worst."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "state": "degraded", "at": "2026-11-26T12:00:00Z",
                    "components": [
                        {
                            "component": "broker", "kind": "server", "state": "degraded",
                            "since": "2026-11-26T11:58:20Z", "detail": "nobody reads research", "latency_ms": 3.1,
                            "instances": 1,
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    state: State
    at: datetime
    components: list[ComponentTold]


@router.get("", responses=READ)
async def deep(_: Reader) -> HealthTold:
    """Say how every part does, since when, and why."""
    return await in_thread(_deep)


def _deep() -> HealthTold:
    now = LiveClock().now()
    found = look_deep(now)
    return HealthTold(state=worst(part.state for part in found), at=now, components=[_told(part) for part in found])


def _told(part: Component) -> ComponentTold:
    return ComponentTold(**asdict(part))
