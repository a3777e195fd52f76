"""Gathers what is known of a strategy's present version, from ticks, orders, marks, checks and backtests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db.models.functions import TruncDate

from apps.exchanges.models import Order, ScopeKind
from apps.risk.portfolio.drawdown import read_marks
from apps.strategies.models import Stage, StageApproval, StrategyDay, StrategyRow, Tick, TickStatus
from apps.strategies.orchestrator.loader import load
from apps.strategies.promotion.gates import Evidence
from apps.strategies.promotion.reference import checks_missing, reference_returns
from apps.strategies.promotion.track_record import DailyReturns, DayMark, daily_returns, tracking_error
from moondev.domain.orders import Purpose

APPROVE = "strategies.approve_stage"


@dataclass(frozen=True, slots=True)
class Version:
    """The code and the parameters that evidence is about."""

    code_hash: str
    parameters_version: int


def version_of(row: StrategyRow) -> Version:
    """Return the present version. Raises what `load` raises when the code or the parameters do not load."""
    return Version(load(row.kind, row.parameters).code_hash, row.parameters_version)


def evidence_of(row: StrategyRow, to: Stage, now: datetime) -> Evidence:
    """Return the evidence on which the gates to stage `to` judge. What an older version did counts for nothing."""
    version = version_of(row)
    ticks = Tick.objects.filter(
        strategy=row,
        status=TickStatus.DONE,
        code_hash=version.code_hash,
        parameters_version=version.parameters_version,
        due_at__gte=row.stage_since or row.created_at,
    )
    first = ticks.order_by("due_at").values_list("due_at", flat=True).first()
    ours = {day: value for day, value in own_returns(row).items() if first is not None and day >= first.date()}
    return Evidence(
        checks_missing=checks_missing(row, version.code_hash),
        days=ticks.annotate(day=TruncDate("due_at")).values("day").distinct().count(),
        trades=_entries_filled(row, first),
        tracking_error=_tracking(row, version.code_hash, ours),
        drawdown=_drawdown(row, now),
        approvers=approvers_of(row, to, version),
    )


def own_returns(row: StrategyRow) -> DailyReturns:
    """Return what the strategy made on each day that was marked."""
    days = StrategyDay.objects.filter(strategy=row).order_by("day")
    return daily_returns([DayMark(day.day, day.equity, day.funded) for day in days])


def approvers_of(row: StrategyRow, to: Stage, version: Version) -> tuple[str, ...]:
    """Return the people who approved this version for stage `to` and still may, authors left out."""
    names = StageApproval.objects.filter(
        strategy=row, stage=to, parameters_version=version.parameters_version, code_hash=version.code_hash
    ).values_list("approver", flat=True)
    return _entitled([name for name in names if name not in authors_of(row)])


def authors_of(row: StrategyRow) -> frozenset[str]:
    """Return who made the strategy what it is."""
    return frozenset({row.created_by, row.edited_by} - {""})


def _entitled(names: Sequence[str]) -> tuple[str, ...]:
    """Return those who are active and may approve now: a person who has left vouches for nothing."""
    people = get_user_model().objects.filter(username__in=names, is_active=True)
    return tuple(sorted(person.get_username() for person in people if person.has_perm(APPROVE)))


def _entries_filled(row: StrategyRow, since: datetime | None) -> int:
    if since is None:
        return 0
    return Order.objects.filter(
        strategy=row.slug, purpose=Purpose.OPENING.value, filled_quantity__gt=0, created_at__gte=since
    ).count()


def _tracking(row: StrategyRow, code_hash: str, ours: DailyReturns) -> float | None:
    theirs = reference_returns(row, code_hash)
    return None if theirs is None else tracking_error(ours, theirs)


def _drawdown(row: StrategyRow, now: datetime) -> float | None:
    mark = read_marks([(ScopeKind.STRATEGY.value, row.slug)], now).get((ScopeKind.STRATEGY.value, row.slug))
    share = None if mark is None else mark.fresh_drawdown
    return None if share is None else float(share)
