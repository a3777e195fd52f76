"""How long what is kept, as the operator's rows say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.exchanges.market_data.history.series import Kind
from apps.exchanges.models import HistoryPolicy


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one kind is kept: in the database, and at all. None: for ever."""

    hot: timedelta | None
    keep: timedelta | None
    partitions_ahead: int = 2


FOR_EVER = Limits(None, None)


def limits() -> dict[Kind, Limits]:
    """Return the limits of every kind; what has no row is kept for ever."""
    rows = {Kind(row.kind): Limits(_days(row.hot_days), _days(row.keep_days), row.partitions_ahead) for row in _rows()}
    return {kind: rows.get(kind, FOR_EVER) for kind in Kind}


def hot_since(now: datetime) -> dict[Kind, datetime]:
    """Return from which moment on rows of a kind belong into the database; kinds kept there for ever are left out."""
    return {kind: now - limit.hot for kind, limit in limits().items() if limit.hot is not None}


def _rows() -> list[HistoryPolicy]:
    return list(HistoryPolicy.objects.all())


def _days(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)
