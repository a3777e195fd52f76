"""The audit trail, to be read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from apps.monitor.api.moments import Moment
from apps.monitor.api.paging import Before, Limit, Page, Word, given, page
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import READ
from apps.monitor.models import AuditEntry

Reader = Annotated[Caller, Depends(allowed("monitor.view_auditentry"))]

router = APIRouter(prefix="/audit", tags=["audit"])


class EntryTold(BaseModel):
    """One entry: who did what to what, from where, why, and what changed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "seq": 1204, "at": "2026-11-26T12:00:00Z", "actor": "ana", "address": "10.0.0.7",
                    "action": "limit changed", "subject": "max_leverage:portfolio:paper", "reason": "",
                    "before": {"value": 5}, "after": {"value": 3}, "hash": "9f2c" * 16,
                }
            ]
        }
    )  # fmt: skip

    seq: int
    at: datetime
    actor: str
    address: str
    action: str
    subject: str
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    hash: str


@router.get("", responses=READ)
async def listed(
    _: Reader,
    actor: Word = None,
    action: Word = None,
    subject: Annotated[str | None, Query(max_length=300)] = None,
    since: Moment | None = None,
    until: Moment | None = None,
    before: Before = None,
    limit: Limit = 100,
) -> Page[EntryTold]:
    """List what everybody did, newest first."""
    chosen = given(actor=actor, action=action, subject=subject, at__gte=since, at__lt=until)
    return await in_thread(lambda: page(AuditEntry.objects.filter(**chosen), before, limit, _told))


def _told(row: AuditEntry) -> EntryTold:
    return EntryTold(**{name: getattr(row, name) for name in EntryTold.model_fields})
