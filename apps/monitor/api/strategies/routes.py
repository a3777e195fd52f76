"""Strategies: list, read, set, and make them run or stop."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol

from django.db import transaction
from fastapi import APIRouter, Depends, HTTPException, Query, Response

from apps.monitor.api.paging import Before, Limit, Page, Word, page
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.strategies.lines import strategies_page
from apps.monitor.api.strategies.schemas import (
    STATES,
    EventTold,
    Settings,
    SettingsChanged,
    StrategyPage,
    StrategyTold,
    TickTold,
    event_told,
    settings_told,
    strategy_told,
    tick_told,
)
from apps.monitor.api.tags import IfMatch, require_match, tag_of
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import EDIT, KEYED, READ, WRITE, Why
from apps.monitor.audit.acting import because
from apps.strategies import services
from apps.strategies.admin.overview import overviews
from apps.strategies.models import StrategyEvent, StrategyRow
from moondev.domain.clock import process_clock

Reader = Annotated[Caller, Depends(allowed("strategies.view_strategyrow"))]
# Stopping is for whoever may halt, too; letting run is not.
Stopper = Annotated[Caller, Depends(allowed("strategies.change_strategyrow", "exchanges.add_veto"))]
Changer = Annotated[Caller, Depends(critical("strategies.change_strategyrow"))]

router = APIRouter(prefix="/strategies", tags=["strategies"])


@router.get("", responses=READ, response_model=StrategyPage)
async def listed(
    _: Reader,
    state: Annotated[STATES | None, Query(description="Only those in this state.")] = None,
    kind: Word = None,
    account: Word = None,
    after: Annotated[str | None, Query(max_length=64, description="Only those behind this one.")] = None,
    limit: Limit = 100,
) -> Response:
    """List strategies by name, each with its last decision."""
    return await in_thread(strategies_page, state=state, kind=kind, account=account, after=after, limit=limit)


@router.get("/{slug}", responses=WRITE)
async def read(slug: str, _: Reader) -> StrategyTold:
    """Return one strategy with how it is doing."""
    return await in_thread(_told, slug)


@router.get("/{slug}/settings", responses=WRITE)
async def settings(slug: str, _: Reader, response: Response) -> Settings:
    """Return what may be set of a strategy; the ETag goes into If-Match to change it."""
    found = await in_thread(lambda: settings_told(strategy(slug)))
    response.headers["ETag"] = tag_of(found)
    return found


@router.patch("/{slug}/settings", responses=EDIT, dependencies=KEYED)
async def change(
    slug: str,
    asked: SettingsChanged,
    caller: Changer,
    response: Response,
    if_match: IfMatch = None,
) -> Settings:
    """Change a strategy; new parameters are a new version and bind its next tick."""
    changed = await in_thread(_change, slug, asked, if_match, caller.username)
    response.headers["ETag"] = tag_of(changed)
    return changed


@router.get("/{slug}/ticks", responses=WRITE)
async def ticks(slug: str, _: Reader, before: Before = None, limit: Limit = 50) -> Page[TickTold]:
    """List when a strategy decided, what it wanted and why, newest first."""
    return await in_thread(lambda: page(strategy(slug).ticks.all(), before, limit, tick_told))


@router.get("/{slug}/events", responses=WRITE)
async def events(slug: str, _: Reader, before: Before = None, limit: Limit = 50) -> Page[EventTold]:
    """List what happened to a strategy, newest first."""
    rows = StrategyEvent.objects.filter(strategy=slug)
    return await in_thread(lambda: page(rows, before, limit, event_told))


@router.post("/{slug}/enable", responses=WRITE, dependencies=KEYED)
async def enable(slug: str, why: Why, caller: Changer) -> StrategyTold:
    """Let a strategy run that is disabled."""
    return await in_thread(_let_run, services.strategy_enable, slug, why.reason, caller.username)


@router.post("/{slug}/resume", responses=WRITE, dependencies=KEYED)
async def resume(slug: str, why: Why, caller: Changer) -> StrategyTold:
    """Let a strategy run that is paused."""
    return await in_thread(_let_run, services.strategy_resume, slug, why.reason, caller.username)


@router.post("/{slug}/pause", responses=WRITE, dependencies=KEYED)
async def pause(slug: str, why: Why, caller: Stopper) -> StrategyTold:
    """Stop a strategy for a while: its orders are cancelled; it keeps its instruments, its stops and what it holds."""
    return await in_thread(_pause, slug, why.reason, caller.username)


@router.post("/{slug}/disable", responses=WRITE, dependencies=KEYED)
async def disable(slug: str, why: Why, caller: Stopper) -> StrategyTold:
    """Stop a strategy and give its instruments free; its orders are cancelled, its stops and what it holds stay."""
    return await in_thread(_let_run, services.strategy_disable, slug, why.reason, caller.username)


@router.post("/{slug}/ticks", status_code=HTTPStatus.ACCEPTED, responses=WRITE, dependencies=KEYED)
async def tick(slug: str, why: Why, caller: Changer) -> TickTold:
    """Have a strategy decide once, at once; it may trade."""
    return await in_thread(_tick, slug, why.reason, caller.username)


def strategy(slug: str) -> StrategyRow:
    """Return a strategy. Raises HTTPException 404."""
    row = StrategyRow.objects.select_related("account__venue").filter(slug=slug).first()
    if row is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no strategy {slug}")
    return row


def _told(slug: str) -> StrategyTold:
    row = strategy(slug)
    return strategy_told(row, overviews([row])[row.pk])


def _change(slug: str, asked: SettingsChanged, if_match: str | None, actor: str) -> Settings:
    with because(asked.reason), transaction.atomic():
        # Locked, so that nobody changes it between the comparison and the change.
        row = StrategyRow.objects.select_for_update(no_key=True).get(pk=strategy(slug).pk)
        require_match(if_match, settings_told(row))
        chosen = asked.model_dump(exclude_none=True, exclude={"reason", "parameters"})
        parameters = None if asked.parameters is None else {**row.parameters, **asked.parameters}
        changed = services.strategy_update(
            row.pk, actor=actor, now=process_clock().now(), parameters=parameters, **chosen
        )
        changed.refresh_from_db()
        return settings_told(changed)


class _Change(Protocol):
    """A service that makes a strategy run or stop."""

    def __call__(self, strategy_id: int, *, actor: str, now: datetime) -> StrategyRow: ...


def _let_run(change: _Change, slug: str, reason: str, actor: str) -> StrategyTold:
    with because(reason):
        change(strategy(slug).pk, actor=actor, now=process_clock().now())
    return _told(slug)


def _tick(slug: str, reason: str, actor: str) -> TickTold:
    with because(reason):
        return tick_told(services.tick_now(strategy(slug).pk, actor=actor))


def _pause(slug: str, reason: str, actor: str) -> StrategyTold:
    services.strategy_pause(strategy(slug).pk, reason=reason, actor=actor, now=process_clock().now())
    return _told(slug)
