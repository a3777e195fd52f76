"""Figures over any period, round trips, and how far strategies are from their backtests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from apps.exchanges.models import Account
from apps.monitor.analytics.drift import drifts
from apps.monitor.analytics.figures import figures
from apps.monitor.analytics.period import Period
from apps.monitor.analytics.scopes import subject_named, subjects
from apps.monitor.analytics.trips import trips_closed
from apps.monitor.api.analytics.schemas import (
    LEVELS,
    DriftList,
    FiguresList,
    TripList,
    drift_told,
    figures_told,
    trip_told,
)
from apps.monitor.api.moments import Moment
from apps.monitor.api.paging import Limit
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import WRITE
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

Reader = Annotated[Caller, Depends(allowed("exchanges.view_position"))]
Scope = Annotated[str, Query(max_length=80, description="total:<environment>, or portfolio:, account:, strategy:")]
From = Annotated[Moment | None, Query(description="From then on; left out: thirty days before the end.")]
To = Annotated[Moment | None, Query(description="Before then; left out: now.")]
DAYS, MOST_DAYS = 30, 367

router = APIRouter(prefix="/analytics", tags=["analytics"], responses=WRITE)


@router.get("/figures")
async def every(
    _: Reader,
    level: Annotated[LEVELS, Query(description="Of what.")] = "strategy",
    environment: Annotated[str | None, Query(max_length=8, description="live, testnet or paper alone.")] = None,
    start: From = None,
    end: To = None,
) -> FiguresList:
    """Return the figures of every strategy, account, portfolio or environment over a period."""
    return await in_thread(_figures, level, environment, start, end)


@router.get("/figures/{scope}")
async def one(scope: str, _: Reader, start: From = None, end: To = None) -> FiguresList:
    """Return the figures of one scope, such as strategy:turtle-btc, over a period."""
    return await in_thread(_one, scope, start, end)


@router.get("/round-trips")
async def trips(_: Reader, scope: Scope, start: From = None, end: To = None, limit: Limit = 100) -> TripList:
    """List round trips that ended in a period, the last one first."""
    return await in_thread(_trips, scope, start, end, limit)


@router.get("/drift")
async def drift(_: Reader) -> DriftList:
    """Return how far each strategy beyond research is from the backtest of its version."""
    return await in_thread(lambda: DriftList(items=[drift_told(found) for found in drifts(process_clock().now())]))


def _figures(level: str, environment: str | None, start: datetime | None, end: datetime | None) -> FiguresList:
    found = figures(subjects(level, environment), _period(start, end), process_clock().now())
    return FiguresList(items=[figures_told(told) for told in found])


def _one(scope: str, start: datetime | None, end: datetime | None) -> FiguresList:
    found = figures([subject_named(scope)], _period(start, end), process_clock().now())
    return FiguresList(items=[figures_told(told) for told in found])


def _trips(scope: str, start: datetime | None, end: datetime | None, limit: int) -> TripList:
    subject = subject_named(scope)
    accounts = {pk: told for pk, *told in Account.objects.values_list("pk", "code", "currency")}
    found = trips_closed(sorted(subject.accounts), _period(start, end), subject.strategy)[::-1]
    items = [trip_told(trip, *accounts[trip.account_id]) for trip in found[:limit]]
    return TripList(items=items, more=len(found) > limit)


def _period(start: datetime | None, end: datetime | None) -> Period:
    last = end or process_clock().now()
    period = Period(start or last - timedelta(days=DAYS), last)
    if period.days > MOST_DAYS:
        raise InvalidValue("start", start, f"at most {MOST_DAYS} days before end; export what is longer")
    return period
