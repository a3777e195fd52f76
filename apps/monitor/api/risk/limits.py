"""Limits: what they allow, how much of it is used, and changing them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated

from django.db import transaction
from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from apps.exchanges.market_data.cache import market_cache
from apps.monitor.api.amounts import Amount, Wanted
from apps.monitor.api.paging import Before, Id, Limit, Page, Word, given, page
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.tags import IfMatch, require_match, tag_of
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import EDIT, KEYED, READ, WRITE, Reason
from apps.monitor.audit.acting import because
from apps.risk import models
from apps.risk.limits import read_limits
from apps.risk.models import LimitChange, LimitKind
from apps.risk.models.limit_kinds import LimitScope
from apps.risk.report.headroom import headroom
from apps.risk.report.read import read_books
from apps.risk.services import limit_set
from moondev.domain.clock import process_clock

Reader = Annotated[Caller, Depends(allowed("risk.view_limit"))]
Changer = Annotated[Caller, Depends(critical("risk.change_limit"))]

router = APIRouter(prefix="/risk", tags=["risk"])


class LimitTold(BaseModel):
    """One bound on one scope; of several the tightest binds. GET of one gives its ETag."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 3, "kind": "max_leverage", "scope_kind": "portfolio", "scope_key": "paper", "value": "5",
                    "currency": "", "active": True, "version": 2, "updated_at": "2026-11-26T12:00:00Z",
                }
            ]
        }
    )  # fmt: skip

    id: int
    kind: str
    scope_kind: str
    scope_key: str
    value: Amount
    currency: str
    active: bool
    version: int
    updated_at: datetime


class LimitAsked(BaseModel):
    """A limit to set: one that is there already is changed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "max_leverage", "scope_kind": "strategy", "scope_key": "turtle-btc", "value": "2",
                    "reason": "new, on trial",
                }
            ]
        },
    )  # fmt: skip

    kind: LimitKind
    scope_kind: LimitScope
    scope_key: str = Field("*", min_length=1, max_length=80)
    value: Wanted
    reason: Reason


class LimitChanged(BaseModel):
    """What to change of a limit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"value": "3", "reason": "calmer now"}]})

    value: Wanted | None = None
    active: bool | None = None
    reason: Reason


class ChangeTold(BaseModel):
    """Who set a limit to what."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"version": 2, "value": "5", "active": True, "actor": "ana", "at": "2026-11-26T12:00:00Z"}]
        }
    )

    version: int
    value: Amount
    active: bool
    actor: str
    at: datetime


class UseTold(BaseModel):
    """How much of a limit is used: `share` 1 is all of it, null is not known now, unless `note` says why.

    `limit` null: there is none; `where` is the scope it is set for, `room` what is left.
    """

    portfolio: str
    kind: str
    of: str
    limit: Amount | None
    used: Amount | None
    share: Amount | None
    room: Amount | None
    where: str
    note: str


class UseList(BaseModel):
    """The use of every limit that something can be measured against, fullest first in each portfolio."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "portfolio": "paper", "kind": "leverage", "of": "paper", "limit": "5", "used": "0.16",
                            "share": "0.032", "room": "4.84", "where": "portfolio:paper", "note": "",
                        }
                    ]
                }
            ]
        }
    )  # fmt: skip

    items: list[UseTold]


@router.get("/limits", responses=READ)
async def listed(
    _: Reader,
    kind: Word = None,
    scope_kind: Word = None,
    scope_key: Word = None,
    active: bool | None = None,  # noqa: FBT001  a query
    before: Before = None,
    limit: Limit = 200,
) -> Page[LimitTold]:
    """List limits."""
    chosen = given(kind=kind, scope_kind=scope_kind, scope_key=scope_key, active=active)
    return await in_thread(lambda: page(models.Limit.objects.filter(**chosen), before, limit, _told))


@router.get("/limits/{limit_id}", responses=WRITE)
async def read(limit_id: Id, _: Reader, response: Response) -> LimitTold:
    """Return one limit; the ETag goes into If-Match to change it."""
    found = await in_thread(lambda: _told(_limit(limit_id)))
    response.headers["ETag"] = tag_of(found)
    return found


@router.get("/limits/{limit_id}/changes", responses=WRITE)
async def changes(limit_id: Id, _: Reader, before: Before = None, limit: Limit = 100) -> Page[ChangeTold]:
    """List who set a limit to what, newest first."""
    return await in_thread(lambda: page(_limit(limit_id).changes.all(), before, limit, _change_told))


@router.post("/limits", status_code=HTTPStatus.CREATED, responses=WRITE, dependencies=KEYED)
async def set_one(asked: LimitAsked, caller: Changer) -> LimitTold:
    """Set a limit; it binds the next tick of every worker."""
    return await in_thread(_set, asked, caller.username)


@router.patch("/limits/{limit_id}", responses=EDIT, dependencies=KEYED)
async def change(
    limit_id: Id,
    asked: LimitChanged,
    caller: Changer,
    response: Response,
    if_match: IfMatch = None,
) -> LimitTold:
    """Change a limit, or switch it off; it binds the next tick of every worker."""
    changed = await in_thread(_change, limit_id, asked, if_match, caller.username)
    response.headers["ETag"] = tag_of(changed)
    return changed


@router.get("/use", responses=READ)
async def use(_: Reader) -> UseList:
    """Say how much of each limit is used now."""
    return await in_thread(_use)


def _set(asked: LimitAsked, actor: str) -> LimitTold:
    with because(asked.reason):
        row = limit_set(
            kind=asked.kind,
            scope_kind=asked.scope_kind,
            scope_key=asked.scope_key,
            value=asked.value,
            actor=actor,
            now=process_clock().now(),
        )
    return _told(row)


def _change(limit_id: int, asked: LimitChanged, if_match: str | None, actor: str) -> LimitTold:
    with because(asked.reason), transaction.atomic():
        # Locked, so that nobody changes it between the comparison and the change.
        row = models.Limit.objects.select_for_update(no_key=True).filter(pk=_limit(limit_id).pk).get()
        require_match(if_match, _told(row))
        changed = limit_set(
            kind=row.kind,
            scope_kind=row.scope_kind,
            scope_key=row.scope_key,
            value=row.value if asked.value is None else asked.value,
            active=row.active if asked.active is None else asked.active,
            actor=actor,
            now=process_clock().now(),
        )
        changed.refresh_from_db()
        return _told(changed)


def _use() -> UseList:
    limits, books = read_limits(), read_books(process_clock().now(), market_cache())
    return UseList(
        items=[
            UseTold(
                portfolio=book.portfolio, kind=line.kind, of=line.of, limit=line.limit, used=line.used,
                share=_rounded(line.share), room=line.room, where=line.where, note=line.note,
            )
            for book in books
            for line in headroom(book, limits)
        ]
    )  # fmt: skip


def _rounded(share: Decimal | None) -> Decimal | None:
    return None if share is None else round(share, 6)


def _limit(limit_id: int) -> models.Limit:
    row = models.Limit.objects.filter(pk=limit_id).first()
    if row is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no limit {limit_id}")
    return row


def _told(row: models.Limit) -> LimitTold:
    return LimitTold(**{name: getattr(row, name) for name in LimitTold.model_fields})


def _change_told(row: LimitChange) -> ChangeTold:
    return ChangeTold(**{name: getattr(row, name) for name in ChangeTold.model_fields})
