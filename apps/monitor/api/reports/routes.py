"""Reports as they were written: a list, one as text, and its page."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from apps.monitor.analytics.reports.shown import shown
from apps.monitor.api.paging import Before, Id, Limit, Page, given, page
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.problems import answers
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import READ
from apps.monitor.models import Report, ReportKind

Reader = Annotated[Caller, Depends(allowed("monitor.view_report"))]
# What a page may do: show itself and the picture in it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"

router = APIRouter(prefix="/reports", tags=["reports"], responses=READ)


class ReportTold(BaseModel):
    """A report of a day or a week."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 12, "kind": "daily", "first_day": "2026-11-25", "zone": "Europe/Berlin",
                    "start": "2026-11-24T23:00:00Z", "end": "2026-11-25T23:00:00Z", "made_at": "2026-11-25T23:05:00Z",
                    "subject": "Daily report, Wednesday, 25 November 2026: +120.50 USDC",
                }
            ]
        }
    )  # fmt: skip

    id: int
    kind: str
    first_day: date
    zone: str
    start: datetime
    end: datetime
    made_at: datetime
    subject: str


class ReportWhole(ReportTold):
    """A report with what it says, as plain text."""

    text: str


@router.get("")
async def listed(
    _: Reader,
    kind: Annotated[ReportKind | None, Query(description="Only these.")] = None,
    before: Before = None,
    limit: Limit = 50,
) -> Page[ReportTold]:
    """List reports, the last written first."""
    rows = Report.objects.defer("html", "text", "picture").filter(**given(kind=kind))
    return await in_thread(lambda: page(rows, before, limit, _told))


@router.get("/{report_id}", responses=answers(HTTPStatus.NOT_FOUND))
async def read(report_id: Id, _: Reader) -> ReportWhole:
    """Return a report as plain text."""
    return await in_thread(lambda: ReportWhole(**_told(_report(report_id)).model_dump(), text=_report(report_id).text))


@router.get("/{report_id}/page", response_class=HTMLResponse, responses=answers(HTTPStatus.NOT_FOUND))
async def whole(report_id: Id, _: Reader) -> HTMLResponse:
    """Return a report as the page that was mailed, picture and all; it runs nothing and loads nothing."""
    html = await in_thread(lambda: shown(_report(report_id)))
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


def _told(row: Report) -> ReportTold:
    return ReportTold(**{name: getattr(row, name) for name in ReportTold.model_fields})


def _report(report_id: int) -> Report:
    row = Report.objects.filter(pk=report_id).first()
    if row is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no report {report_id}")
    return row
