"""Backtests: start, list, read, cancel, show the report."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.responses import HTMLResponse

from apps.monitor.api.backtests.schemas import (
    STATUSES,
    BacktestAsked,
    BacktestPage,
    BacktestTold,
    BacktestWhole,
    told,
    whole,
)
from apps.monitor.api.paging import Before, Id, Limit
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.problems import answers
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, READ, WRITE
from apps.strategies.backtest.keeping import checks_get, record_get
from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.requests.asking import Terms, request_for
from apps.strategies.backtest.services import backtest_cancel, backtest_request
from apps.strategies.backtest.shelf import funding_beside
from apps.strategies.models import BacktestRun
from moondev.domain.clock import process_clock

Reader = Annotated[Caller, Depends(allowed("strategies.view_backtestrun"))]
Runner = Annotated[Caller, Depends(allowed("strategies.add_backtestrun"))]

router = APIRouter(prefix="/backtests", tags=["backtests"], responses=READ)


@router.post("", status_code=HTTPStatus.ACCEPTED, responses=WRITE, dependencies=KEYED)
async def start(asked: BacktestAsked, person: Runner, response: Response) -> BacktestTold:
    """Queue a backtest; a research worker runs it. The address of the run is in the header Location."""
    run = await in_thread(_start, asked, person.username)
    response.headers["Location"] = f"/api/v1/backtests/{run.id}"
    return run


@router.get("")
async def listed(
    _: Reader,
    kind: Annotated[str | None, Query(max_length=64, description="Only of this kind of strategy.")] = None,
    status: Annotated[STATUSES | None, Query(description="Only in this state.")] = None,
    before: Before = None,
    limit: Limit = 50,
) -> BacktestPage:
    """List backtests, newest first."""
    return await in_thread(_listed, kind, status, before, limit)


@router.get("/{run_id}", responses=answers(HTTPStatus.NOT_FOUND))
async def read(run_id: Id, _: Reader) -> BacktestWhole:
    """Return one backtest with all it was made from."""
    return await in_thread(lambda: whole(_run(run_id)))


@router.delete("/{run_id}", responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
async def cancel(run_id: Id, person: Runner) -> BacktestTold:
    """Cancel a backtest that is queued or running; what it has computed is dropped, its row stays."""
    return await in_thread(_cancel, run_id, person.username)


@router.get("/{run_id}/report", response_class=HTMLResponse, responses=answers(HTTPStatus.NOT_FOUND))
async def report(run_id: Id, _: Reader) -> HTMLResponse:
    """Return the report as one HTML file."""
    return HTMLResponse(await in_thread(_report, run_id))


def _start(asked: BacktestAsked, actor: str) -> BacktestTold:
    terms: Terms = {
        "funding": funding_beside(asked.data) if asked.funding is None else tuple(asked.funding),
        "start": asked.start,
        "end": asked.end,
        "rule": asked.rule,
        "engine": asked.engine,
        "maker_bps": asked.maker_bps,
        "taker_bps": asked.taker_bps,
        "spread_bps": asked.spread_bps,
        "slippage_bps": asked.slippage_bps,
        "latency_ms": asked.latency_ms,
        "shift_ms": asked.shift_ms,
    }
    if asked.capital is not None:
        terms["capital"] = asked.capital
    if asked.leverage is not None:
        terms["leverage"] = asked.leverage
    request = request_for(asked.strategy, data=asked.data, preset_name=asked.preset, changed=asked.parameters, **terms)
    return told(backtest_request(request, actor=actor, now=process_clock().now()))


def _listed(kind: str | None, status: str | None, before: int | None, limit: int) -> BacktestPage:
    runs = BacktestRun.objects.select_related("strategy")
    chosen = {"kind": kind, "status": status, "pk__lt": before}
    found = list(runs.filter(**{name: value for name, value in chosen.items() if value is not None})[: limit + 1])
    more = len(found) > limit
    return BacktestPage(items=[told(run) for run in found[:limit]], next_before=found[limit - 1].pk if more else None)


def _cancel(run_id: int, actor: str) -> BacktestTold:
    run = _run(run_id)
    if not backtest_cancel(run_id, actor=actor, now=process_clock().now()):
        raise HTTPException(HTTPStatus.CONFLICT, f"backtest {run_id} is {run.status}; it is over")
    return told(_run(run_id))


def _report(run_id: int) -> str:
    run = _run(run_id)
    return report_page(record_get(run), checks_get(run))


def _run(run_id: int) -> BacktestRun:
    run = BacktestRun.objects.select_related("strategy").filter(pk=run_id).first()
    if run is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no backtest {run_id}")
    return run
