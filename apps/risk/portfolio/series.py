"""Equity over time, to be read. The guard keeps it, see `series_keeper`.

A grid begins at `start` and its steps are half open: a point at the very end belongs to the next one. Of each step the
last point counts. Where there is none, nothing is known, and nothing is made up: NaN, never the point before or zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import DateTime, Integer, cast, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from apps.exchanges.models import ScopeKind
from apps.risk.portfolio.series_tables import POINTS, SCOPES, rows_of
from apps.risk.scope import ScopeId
from moondev.domain.clock import require_aware
from moondev.domain.errors import InvalidValue

Floats = NDArray[np.float64]
# A chart of more steps than this is a mistake in its arguments.
MOST_STEPS = 200_000


@dataclass(frozen=True, slots=True)
class EquitySeries:
    """One scope on a grid: `at` are the ends of the steps, the other columns have one number for each, or NaN.

    `funded` is the money put in, net; `growth` what one unit has become with moved money taken out; `returns` the
    share won in the step, NaN as well where the accounts that are added up have changed.
    """

    at: tuple[datetime, ...]
    equity: Floats
    funded: Floats
    growth: Floats
    returns: Floats


def equity_series(scope: ScopeId, start: datetime, end: datetime, step: timedelta) -> EquitySeries:
    """Return the equity of a scope on a grid over [start, end), in the scope's currency, in one query.

    Scopes are strategies, accounts and portfolios as everywhere, and ("total", environment). Raises InvalidValue for a
    grid that is none.
    """
    steps = _steps(start, end, step)
    table = _last_of_each_step([scope], start, step, steps).get(scope, _nothing(steps))
    at = tuple(start + step * (number + 1) for number in range(steps))
    return EquitySeries(at, table[1:, 0], table[1:, 1], table[1:, 2], _returns(table))


def returns_matrix(strategies: Sequence[str], start: datetime, end: datetime, step: timedelta) -> Floats:
    """Return what each strategy won in each step of [start, end) as a share, moved capital taken out, in one query.

    Rows are steps, columns strategies in the order given. NaN where a step, or the one before it, has no point, or the
    strategy moved to another account between them. Raises InvalidValue for a grid that is none.
    """
    steps = _steps(start, end, step)
    scopes = [(ScopeKind.STRATEGY.value, strategy) for strategy in strategies]
    tables = _last_of_each_step(scopes, start, step, steps)
    matrix = np.full((steps, len(scopes)), np.nan)
    for column, scope in enumerate(scopes):
        if scope in tables:
            matrix[:, column] = _returns(tables[scope])
    return matrix


def _steps(start: datetime, end: datetime, step: timedelta) -> int:
    require_aware("start", start)
    require_aware("end", end)
    if step <= timedelta(0):
        raise InvalidValue("step", step, "a time longer than nothing")
    if end <= start:
        raise InvalidValue("end", end, f"a time after start, {start}")
    steps = math.ceil((end - start) / step)
    if steps > MOST_STEPS:
        raise InvalidValue("step", step, f"at most {MOST_STEPS} steps between start and end, not {steps}")
    return steps


def _last_of_each_step(
    scopes: Sequence[ScopeId], start: datetime, step: timedelta, steps: int
) -> dict[ScopeId, Floats]:
    """Return equity, funded, growth and run of the last point in each step, and of the step before the first."""
    if not scopes:
        return {}
    p = POINTS.c
    seconds = Decimal(step // timedelta(microseconds=1)) / 1_000_000
    # Exact: the epoch of PostgreSQL and the step are decimal numbers.
    since = func.extract("epoch", p.at) - func.extract("epoch", literal(start, DateTime(timezone=True)))
    number = cast(func.floor(since / seconds), Integer)
    query = (
        select(SCOPES.c.kind, SCOPES.c.key, number, p.equity, p.funded, p.growth, p.run)
        .join_from(SCOPES, POINTS, SCOPES.c.id == p.scope_id)
        .where(tuple_(SCOPES.c.kind, SCOPES.c.key).in_([tuple(map(str, scope)) for scope in scopes]))
        .where(p.at >= start - step, p.at < start + step * steps)
        .ext(distinct_on(p.scope_id, number))
        .order_by(p.scope_id, number, p.at.desc())
    )
    found: dict[ScopeId, Floats] = {}
    for kind, key, place, *point in rows_of(query):
        found.setdefault((kind, key), _nothing(steps))[place + 1] = point
    return found


def _nothing(steps: int) -> Floats:
    return np.full((steps + 1, 4), np.nan)


def _returns(table: Floats) -> Floats:
    growth, run = table[:, 2], table[:, 3]
    returns = growth[1:] / growth[:-1] - 1
    returns[run[1:] != run[:-1]] = np.nan
    return returns
