"""Returns of whatever has equity over time, deposits and withdrawals left out. Formulas are those of backtests.

The risk guard keeps, beside equity, what one unit of money has become (`growth`): a time-weighted return, chained at
every point. It starts anew where other accounts are added up than before; such a seam counts as a return of nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.monitor.analytics.period import Period
from apps.monitor.analytics.reading import rows_of
from apps.risk.scope import ScopeId
from apps.strategies.backtest.metrics import (
    DAY_MS,
    daily_closes,
    grown_a_year,
    max_drawdown,
    sharpe,
    sortino,
    volatility,
)
from apps.strategies.backtest.results import EquityCurve

Floats = NDArray[np.float64]
# Fewer daily returns than this say nothing about risk: the same number that a track record needs.
FEWEST_DAYS = 5
# A growth a year is told of a week at least: a good day taken to the power of 365 misleads.
SHORTEST_FOR_A_YEAR = 7
# The point from which the first return is reckoned is not older than this.
NEAR = timedelta(days=2)
_POINTS = """
SELECT s.kind, s.key, (extract(epoch FROM p.at) * 1000)::bigint, p.equity, p.funded, p.growth, p.run
  FROM risk_equityscope s
 CROSS JOIN LATERAL (
       SELECT COALESCE(MAX(b.at), %(start)s::timestamptz) AS at FROM risk_equitypoint b
        WHERE b.scope_id = s.id AND b.at < %(start)s AND b.at >= %(oldest)s) first
  JOIN risk_equitypoint p ON p.scope_id = s.id AND p.at >= first.at AND p.at < %(end)s
 WHERE s.kind = ANY(%(kinds)s) AND s.key = ANY(%(keys)s)
 ORDER BY s.id, p.at
"""


@dataclass(frozen=True, slots=True)
class Points:
    """The kept points of one scope, the first the last one before the period, if that is near; `at` in ms UTC."""

    at: NDArray[np.int64]
    equity: Floats
    funded: Floats
    growth: Floats
    run: NDArray[np.int64]

    @property
    def chained(self) -> Floats:
        """Return what one unit has become since the first point, over every seam."""
        steps = np.ones(len(self.growth))
        same = self.run[1:] == self.run[:-1]
        steps[1:][same] = self.growth[1:][same] / self.growth[:-1][same]
        return np.asarray(np.cumprod(steps), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Returns:
    """Fractions. None is not known, and `why` says by the figure's name why not.

    `days` is the number of daily returns; days of which the day before is missing have none. `net_flow` is the money
    that came in, net, and `first` and `last` are equities, all in the scope's currency.
    """

    days: int = 0
    twr: float | None = None
    yearly: float | None = None
    volatility: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    max_drawdown: float | None = None
    calmar: float | None = None
    first: float | None = None
    last: float | None = None
    net_flow: float | None = None
    mean_equity: float | None = None
    why: dict[str, str] = field(default_factory=dict)


def read_points(scopes: Collection[ScopeId], period: Period) -> dict[ScopeId, Points]:
    """Return the points of scopes within a period, and of each the last one before it within two days; one query."""
    kinds, keys = sorted({str(kind) for kind, _ in scopes}), sorted({key for _, key in scopes})
    oldest = period.start - NEAR
    rows = rows_of(_POINTS, {"kinds": kinds, "keys": keys, "start": period.start, "end": period.end, "oldest": oldest})
    wanted = {(str(kind), key) for kind, key in scopes}
    found: dict[ScopeId, list[tuple[float, ...]]] = {}
    for kind, key, *point in rows:
        if (kind, key) in wanted:
            found.setdefault((kind, key), []).append(tuple(point))
    return {scope: _points(points) for scope, points in found.items()}


def returns_of(points: Points | None) -> Returns:
    """Return the figures of a scope's points; all unknown where there are none."""
    if points is None or len(points.at) < 2:
        kept = "no points" if points is None else "one point"
        return Returns(why={"twr": f"{kept} of equity in the period"})
    curve = EquityCurve(points.at, points.chained, np.zeros(len(points.at)))
    daily = _daily(curve)
    deepest, span = max_drawdown(curve.equity), float(points.at[-1] - points.at[0]) / DAY_MS
    total = float(curve.equity[-1] - 1)
    yearly = grown_a_year(1 + total, span) if span >= SHORTEST_FOR_A_YEAR else None
    enough = daily if len(daily) >= FEWEST_DAYS else None
    return Returns(
        days=len(daily),
        twr=total,
        yearly=yearly,
        volatility=volatility(enough),
        sharpe=sharpe(enough),
        sortino=sortino(enough),
        max_drawdown=deepest,
        calmar=yearly / -deepest if yearly is not None and deepest else None,
        first=float(points.equity[0]),
        last=float(points.equity[-1]),
        net_flow=float(points.funded[-1] - points.funded[0]),
        mean_equity=_mean_over_time(points),
        why=_why(len(daily), span, deepest),
    )


def _daily(curve: EquityCurve) -> Floats:
    """Return the returns of days whose day before is known: one over a gap is not a day's."""
    closes = daily_closes(curve)
    days = np.unique((curve.times - 1) // DAY_MS)
    returns = closes[1:] / closes[:-1] - 1
    return np.asarray(returns[np.diff(days) == 1])


def _mean_over_time(points: Points) -> float:
    """Return mean equity, each point for as long as it stood: points are kept closer the younger they are."""
    lasted = np.diff(points.at)
    return float((points.equity[:-1] * lasted).sum() / lasted.sum())


def _why(days: int, span: float, deepest: float | None) -> dict[str, str]:
    why: dict[str, str] = {}
    if days < FEWEST_DAYS:
        words = f"{days} daily returns, {FEWEST_DAYS} are needed"
        why |= dict.fromkeys(("volatility", "sharpe", "sortino"), words)
    if span < SHORTEST_FOR_A_YEAR:
        why |= dict.fromkeys(("yearly", "calmar"), f"{span:.1f} days, {SHORTEST_FOR_A_YEAR} are needed")
    elif not deepest:
        why["calmar"] = "no drawdown to divide by"
    return why


def _points(rows: Sequence[tuple[float, ...]]) -> Points:
    at, equity, funded, growth, run = (np.array(column) for column in zip(*rows, strict=True))
    return Points(at.astype(np.int64), equity, funded, growth, run.astype(np.int64))
