"""The kill switch: stop a scope from anywhere, let it go on with care, rehearse it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from apps.monitor.api.paging import Id
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.risk.halt_schemas import (
    DrillTold,
    EngagedTold,
    HaltAsked,
    HaltTold,
    ReleaseTold,
    drill_told,
    halt_told,
    release_told,
)
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, READ, WRITE, Reason
from apps.risk import stopping
from apps.risk.models import DrillRun
from moondev.domain.clock import process_clock

Reader = Annotated[Caller, Depends(allowed("exchanges.view_tradingstate"))]
# From anywhere: whoever sees a fire may pull the lever.
Stopper = Annotated[Caller, Depends(allowed("exchanges.add_veto", "exchanges.change_tradingstate"))]
Releaser = Annotated[Caller, Depends(critical("exchanges.change_tradingstate"))]

router = APIRouter(prefix="/risk", tags=["risk"])


class ReleaseAsked(BaseModel):
    """Which scope to let go on. `unfinished` also where a venue could not be cleared."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"scope": "strategy:turtle-btc", "reason": "understood and mended"}]},
    )

    scope: str = Field(max_length=100)
    reason: Reason
    unfinished: bool = False


class DrillAsked(BaseModel):
    """Which paper account or portfolio to rehearse on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"scope": "account:paper-1"}]})

    scope: str = Field(max_length=100)
    flatten: bool = False


class ReleaseList(BaseModel):
    """Releases that a second person may still confirm, oldest first."""

    items: list[ReleaseTold]


@router.get("/halt", responses=READ)
async def status(_: Reader) -> HaltTold:
    """Say what every voice says: the trading state of each scope, Redis, this machine's file, halts under way."""
    return await in_thread(lambda: halt_told(stopping.status(), process_clock().now()))


@router.post("/halt", responses=WRITE, dependencies=KEYED)
async def engage(asked: HaltAsked, caller: Stopper) -> EngagedTold:
    """Stop a scope: what it has resting is cancelled; `flatten` closes its positions as well. Taken from anywhere."""
    return await in_thread(_engage, asked, caller.username)


@router.get("/releases", responses=READ)
async def releases(_: Reader) -> ReleaseList:
    """List releases that wait for a second person."""
    return await in_thread(
        lambda: ReleaseList(items=[release_told(row) for row in stopping.releases_waiting(process_clock().now())])
    )


@router.post("/releases", status_code=HTTPStatus.CREATED, responses=WRITE, dependencies=KEYED)
async def ask(asked: ReleaseAsked, caller: Releaser) -> ReleaseTold:
    """Ask for a release. Where one person is enough it is done at once: `state` is then released."""
    return await in_thread(_ask, asked, caller.username)


@router.post("/releases/{release_id}/confirm", responses=WRITE, dependencies=KEYED)
async def confirm(release_id: Id, caller: Releaser) -> ReleaseTold:
    """Agree to another person's release, which carries it out."""
    now = process_clock().now()
    return await in_thread(
        lambda: release_told(stopping.release_confirm(request_id=release_id, actor=caller.username, now=now))
    )


@router.post("/releases/{release_id}/withdraw", responses=WRITE, dependencies=KEYED)
async def withdraw(release_id: Id, caller: Releaser) -> ReleaseTold:
    """Take a release back that waits."""
    now = process_clock().now()
    return await in_thread(
        lambda: release_told(stopping.release_withdraw(request_id=release_id, actor=caller.username, now=now))
    )


@router.post("/drills", status_code=HTTPStatus.ACCEPTED, responses=WRITE, dependencies=KEYED)
async def drill(asked: DrillAsked, caller: Releaser) -> DrillTold:
    """Rehearse the kill switch on paper; the guard carries it out, and GET says what it found."""
    return await in_thread(_drill, asked, caller.username)


@router.get("/drills/{drill_id}", responses=WRITE)
async def drilled(drill_id: Id, _: Reader) -> DrillTold:
    """Say how far a rehearsal has got and what it found."""
    return await in_thread(_drilled, drill_id)


def _engage(asked: HaltAsked, actor: str) -> EngagedTold:
    closing = stopping.Closing(
        urgency=stopping.Urgency(asked.urgency),
        deadline_seconds=asked.deadline_seconds,
        slippage_bps=asked.slippage_bps,
    )
    engaged = stopping.engage(
        scope=stopping.parse_scope(asked.scope),
        mode=stopping.TradingMode(asked.mode),
        flatten=asked.flatten,
        reason=asked.reason,
        actor=actor,
        now=process_clock().now(),
        closing=closing,
    )
    return EngagedTold(
        scope=":".join(engaged.scope), mode=asked.mode, epoch=engaged.epoch, veto_ids=list(engaged.veto_ids),
        unreached=list(engaged.unreached),
    )  # fmt: skip


def _ask(asked: ReleaseAsked, actor: str) -> ReleaseTold:
    scope, now = stopping.parse_scope(asked.scope), process_clock().now()
    return release_told(
        stopping.release_ask(scope=scope, reason=asked.reason, actor=actor, now=now, unfinished=asked.unfinished)
    )


def _drill(asked: DrillAsked, actor: str) -> DrillTold:
    scope, now = stopping.parse_scope(asked.scope), process_clock().now()
    return drill_told(stopping.drill_start(scope=scope, flatten=asked.flatten, actor=actor, now=now))


def _drilled(drill_id: int) -> DrillTold:
    row = DrillRun.objects.filter(pk=drill_id).first()
    if row is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no drill {drill_id}")
    return drill_told(row)
