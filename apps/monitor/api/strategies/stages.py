"""A strategy's stage: what stands before the next one, approvals, the step up and the way down."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from apps.exchanges.models import Account
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.strategies.routes import strategy
from apps.monitor.api.strategies.schemas import StageTold, Step, gate_told
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, WRITE
from apps.strategies.models import Stage
from apps.strategies.promotion import services
from apps.strategies.promotion.evidence import version_of
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

Reader = Annotated[Caller, Depends(allowed("strategies.view_strategyrow"))]
Approver = Annotated[Caller, Depends(critical("strategies.approve_stage"))]
Changer = Annotated[Caller, Depends(critical("strategies.change_strategyrow"))]
Stopper = Annotated[Caller, Depends(allowed("strategies.change_strategyrow", "exchanges.add_veto"))]

router = APIRouter(prefix="/strategies/{slug}/stage", tags=["strategies"], responses=WRITE)


@router.get("")
async def read(slug: str, _: Reader) -> StageTold:
    """Say how far a strategy has come and what each gate before the next stage says."""
    return await in_thread(_told, slug)


@router.post("/approve", dependencies=KEYED)
async def approve(slug: str, step: Step, caller: Approver) -> StageTold:
    """Let a strategy's present version into its next stage, as somebody who is not one of its authors."""
    return await in_thread(_approve, slug, step, caller)


@router.post("/promote", dependencies=KEYED)
async def promote(slug: str, step: Step, caller: Changer) -> StageTold:
    """Take the next step up: every gate has to pass."""
    return await in_thread(_promote, slug, step, caller.username)


@router.post("/demote", dependencies=KEYED)
async def demote(slug: str, step: Step, caller: Stopper) -> StageTold:
    """Take a strategy down; less risk asks nobody."""
    return await in_thread(_demote, slug, step, caller.username)


def _told(slug: str) -> StageTold:
    row = strategy(slug)
    try:
        to = services.next_step(row, version_of(row))
    except InvalidValue:  # there is none above
        return StageTold(stage=row.stage, next=None, gates=[])
    verdicts = services.verdicts(row, to, process_clock().now())
    return StageTold(stage=row.stage, next=to.value, gates=[gate_told(verdict) for verdict in verdicts])


def _approve(slug: str, step: Step, caller: Caller) -> StageTold:
    now = process_clock().now()
    services.stage_approve(strategy(slug).pk, to=step.to, user=caller.user, reason=step.reason, now=now)
    return _told(slug)


def _promote(slug: str, step: Step, actor: str) -> StageTold:
    account = None if step.account is None else _account(step.account)
    now = process_clock().now()
    services.stage_promote(
        strategy(slug).pk, to=Stage(step.to), actor=actor, reason=step.reason, now=now, account=account
    )
    return _told(slug)


def _demote(slug: str, step: Step, actor: str) -> StageTold:
    now = process_clock().now()
    services.stage_demote(strategy(slug).pk, to=Stage(step.to), actor=actor, reason=step.reason, now=now)
    return _told(slug)


def _account(code: str) -> Account:
    account = Account.objects.select_related("venue").filter(code=code).first()
    if account is None:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"account is {code!r}; allowed: the code of an account")
    return account
