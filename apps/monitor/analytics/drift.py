"""How far a strategy that runs is from its own backtest. Evidence and rules are those by which it was promoted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from apps.exchanges.models import ScopeKind
from apps.risk.portfolio.drawdown import Mark, read_marks
from apps.strategies.models import StageTerms, StrategyRow
from apps.strategies.promotion.evidence import own_returns, version_of
from apps.strategies.promotion.reference import reference_returns
from apps.strategies.promotion.track_record import FEWEST_DAYS, DailyReturns, tracking_error
from apps.strategies.promotion.watch import deviations_since
from moondev.domain.errors import TradingError


@dataclass(frozen=True, slots=True)
class Drift:
    """Live beside backtest. None is not known, and `why` says by the figure's name why not.

    `days` are those that both cover; `live` and `backtest` what was made on them, compounded; `tracking_error` the
    standard deviation of the daily difference. `deviations` is by how many standard deviations the profit since the
    last change of stage differs from what was expected then, and `allowed` how many it may lag behind.
    """

    strategy: str
    stage: str
    code_hash: str
    parameters_version: int
    days: int = 0
    live: float | None = None
    backtest: float | None = None
    tracking_error: float | None = None
    deviations: float | None = None
    allowed: float | None = None
    why: dict[str, str] = field(default_factory=dict)

    @property
    def lags(self) -> bool | None:
        """Return whether it has fallen out of its band; None when that cannot be told, or nothing is watched."""
        if self.deviations is None or self.allowed is None:
            return None
        return -self.deviations > self.allowed


def drifts(now: datetime, slug: str | None = None) -> list[Drift]:
    """Return the drift of every strategy beyond research, by name, or that of one."""
    rows = StrategyRow.objects.order_by("slug")
    rows = rows.exclude(stage="research") if slug is None else rows.filter(slug=slug)
    chosen = list(rows)
    marks = read_marks([(ScopeKind.STRATEGY.value, row.slug) for row in chosen], now)
    terms = StageTerms.objects.exclude(band_deviations=None).values_list("stage", "band_deviations")
    allowed = {stage: float(band) for stage, band in terms if band is not None}
    return [
        _drift(
            row,
            marks.get((ScopeKind.STRATEGY.value, row.slug)),
            allowed.get(row.stage),
            now,
        )
        for row in chosen
    ]


def _drift(row: StrategyRow, mark: Mark | None, allowed: float | None, now: datetime) -> Drift:
    why: dict[str, str] = {}
    try:
        code_hash = version_of(row).code_hash
    except TradingError as error:
        return Drift(row.slug, row.stage, "", row.parameters_version, why={"tracking_error": f"does not load: {error}"})
    ours, theirs = _since(own_returns(row), row), reference_returns(row, code_hash)
    common = sorted(ours.keys() & theirs.keys()) if theirs else []
    tracking = tracking_error(ours, theirs) if theirs else None
    if theirs is None:
        why["tracking_error"] = "no backtest of this version of it is stored"
    elif tracking is None:
        why["tracking_error"] = f"{len(common)} days that both cover, {FEWEST_DAYS} are needed"
    deviations = _deviations(row, mark, now, why)
    return Drift(
        row.slug, row.stage, code_hash, row.parameters_version,
        days=len(common),
        live=_compounded([ours[day] for day in common]),
        backtest=_compounded([theirs[day] for day in common]) if theirs else None,
        tracking_error=tracking, deviations=deviations, allowed=allowed, why=why,
    )  # fmt: skip


def _since(returns: DailyReturns, row: StrategyRow) -> DailyReturns:
    """Return the days since the present stage began: what was made before was made elsewhere, or by another version."""
    if row.stage_since is None:
        return returns
    return {day: value for day, value in returns.items() if day >= row.stage_since.date()}


def _deviations(row: StrategyRow, mark: Mark | None, now: datetime, why: dict[str, str]) -> float | None:
    change = row.stage_changes.filter(after=row.stage).first()
    if change is None:
        why["deviations"] = "it never changed its stage"
    elif mark is None or not mark.fresh:
        why["deviations"] = "what it is worth now is not known"
    elif change.expected_mean is None:
        why["deviations"] = "no backtest was there to expect anything by"
    else:
        return deviations_since(change, mark.equity - mark.funded, mark.funded + row.profit_elsewhere, now)
    return None


def _compounded(returns: Sequence[float]) -> float | None:
    return math.prod(1 + one for one in returns) - 1 if returns else None
