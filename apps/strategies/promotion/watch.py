"""Keeps the track record, and takes strategies down whose profit has left what their backtest lets expect."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.exchanges.bulk import values_run
from apps.exchanges.models import ScopeKind
from apps.risk.portfolio.drawdown import Mark, read_marks
from apps.strategies.models import Stage, StageChange, StageTerms, StrategyDay, StrategyRow
from apps.strategies.promotion.services import stage_demote
from apps.strategies.promotion.stages import REAL_MONEY, stage_before
from apps.strategies.promotion.track_record import Expectation, deviations_from
from moondev.domain.errors import InvalidValue

logger = logging.getLogger(__name__)

ACTOR = "promotion_watch"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Worth:
    """What a strategy was worth and what had been paid in, at one look."""

    equity: Decimal
    funded: Decimal

    @property
    def profit(self) -> Decimal:
        return self.equity - self.funded


def watch(now: datetime) -> list[str]:
    """Note what every strategy is worth and return the slugs of those that were demoted. Safe to run twice, at once.

    One odd figure takes nobody down: the look before must say the same. A mark that is old is no figure at all.
    """
    rows = list(StrategyRow.objects.exclude(stage=Stage.RESEARCH).order_by("pk"))
    marks = _fresh_marks(rows, now)
    before = _last_looks(rows, now)
    _note(rows, marks, now)
    terms = {Stage(one.stage): one for one in StageTerms.objects.exclude(band_deviations=None)}
    watched = [row for row in rows if Stage(row.stage) in REAL_MONEY and Stage(row.stage) in terms]
    demoted = []
    for row in watched:
        if row.pk not in marks or row.pk not in before:
            continue
        allowed = terms[Stage(row.stage)].band_deviations
        lag = _lag(row, (before[row.pk], marks[row.pk]), now)
        if allowed is not None and lag is not None and lag > float(allowed) and _demote(row, lag, allowed, now):
            demoted.append(row.slug)
    return demoted


def _lag(row: StrategyRow, looks: Sequence[_Worth], now: datetime) -> float | None:
    """Return by how many deviations the better of the looks lags behind the expected; None when nothing tells."""
    change = row.stage_changes.filter(after=row.stage).first()
    if change is None:
        return None
    found = [deviations_since(change, look.profit, look.funded + row.profit_elsewhere, now) for look in looks]
    known = [deviations for deviations in found if deviations is not None]
    return -max(known) if len(known) == len(looks) else None


def deviations_since(change: StageChange, profit: Decimal, capital: Decimal, now: datetime) -> float | None:
    """Return by how many deviations what was made since a change of stage differs from what it let expect.

    None when no backtest was there to expect anything by, or there is no capital to take a share of.
    """
    if change.expected_mean is None or change.expected_deviation is None or capital <= 0:
        return None
    expected = Expectation(change.expected_mean, change.expected_deviation)
    return deviations_from(expected, float((profit - change.profit) / capital), (now - change.at) / DAY)


def _demote(row: StrategyRow, lag: float, allowed: Decimal, now: datetime) -> bool:
    reason = f"profit lags {lag:.1f} deviations behind its backtest, {allowed.normalize():f} are allowed"
    try:
        # Named, so that two who watch at once take it down one stage and not two.
        stage_demote(row.pk, to=stage_before(Stage(row.stage)), actor=ACTOR, reason=reason, now=now)
    except InvalidValue as error:
        # Somebody else took it down between our look and now.
        logger.info("%s not demoted: %s", row.slug, error)
        return False
    logger.warning("%s demoted from %s: %s", row.slug, row.stage, reason)
    return True


def _fresh_marks(rows: Sequence[StrategyRow], now: datetime) -> dict[int, _Worth]:
    found: Mapping[tuple[str, str], Mark] = read_marks([(ScopeKind.STRATEGY.value, row.slug) for row in rows], now)
    marks = {row.pk: found.get((ScopeKind.STRATEGY.value, row.slug)) for row in rows}
    return {pk: _Worth(mark.equity, mark.funded) for pk, mark in marks.items() if mark is not None and mark.fresh}


def _last_looks(rows: Sequence[StrategyRow], now: datetime) -> dict[int, _Worth]:
    days = StrategyDay.objects.filter(strategy__in=rows, day__gte=(now - DAY).date()).order_by("day")
    return {day.strategy_id: _Worth(day.equity, day.funded) for day in days}


def _note(rows: Sequence[StrategyRow], marks: Mapping[int, _Worth], now: datetime) -> None:
    values_run(
        "INSERT INTO strategies_strategyday (strategy_id, day, equity, funded, stage) VALUES %s"
        " ON CONFLICT (strategy_id, day) DO UPDATE SET equity = EXCLUDED.equity, funded = EXCLUDED.funded,"
        " stage = EXCLUDED.stage",
        [
            (row.pk, now.astimezone(UTC).date(), marks[row.pk].equity, marks[row.pk].funded, row.stage)
            for row in rows
            if row.pk in marks
        ],
    )
