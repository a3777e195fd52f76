"""One step from stage to stage, written down whole. What may be stepped is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.exchanges.models import ScopeKind
from apps.risk.models import HighWaterMark
from apps.strategies.models import Stage, StageChange, StageTerms, StrategyEvent, StrategyRow
from apps.strategies.promotion.stages import REAL_MONEY
from apps.strategies.promotion.track_record import Expectation


@dataclass(frozen=True, slots=True)
class Step:
    """Where to, by whom, why, on which code, on what evidence.

    `certified_version` is of the parameters that real money binds to; None: the present ones, which passed just now.
    """

    after: Stage
    actor: str
    reason: str
    code_hash: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    expected: Expectation | None = None
    certified_version: int | None = None


def take(row: StrategyRow, step: Step, now: datetime) -> StageChange:
    """Put a locked row into another stage. Real money binds to the parameters and the code of the step."""
    before = Stage(row.stage)
    terms = StageTerms.objects.filter(pk=step.after).first()
    row.stage, row.stage_since = step.after, now
    row.capital_share = Decimal(1) if terms is None else terms.capital_share
    real = step.after in REAL_MONEY
    passed = row.parameters_version if step.certified_version is None else step.certified_version
    row.certified_version = passed if real else 0
    row.certified_hash = step.code_hash if real else ""
    row.save(update_fields=["stage", "stage_since", "capital_share", "certified_version", "certified_hash"])
    message = f"by {step.actor}: {before} to {step.after}: {step.reason}"
    StrategyEvent.objects.create(strategy=row.slug, at=now, kind="stage", message=message)
    return StageChange.objects.create(
        strategy=row, before=before, after=step.after, at=now, actor=step.actor, reason=step.reason[:300],
        parameters_version=row.parameters_version, code_hash=step.code_hash, evidence=dict(step.evidence),
        profit=profit_of(row.slug),
        expected_mean=None if step.expected is None else step.expected.mean,
        expected_deviation=None if step.expected is None else step.expected.deviation,
    )  # fmt: skip


def profit_of(strategy: str) -> Decimal:
    """Return what a strategy has made in all, as last marked; zero before its first mark."""
    mark = HighWaterMark.objects.filter(scope_kind=ScopeKind.STRATEGY, scope_key=strategy).first()
    return Decimal(0) if mark is None else mark.equity - mark.funded


def expected_of(row: StrategyRow) -> Expectation | None:
    """Return what the strategy's latest step lets expect of a day; None when no backtest was there to tell."""
    change = row.stage_changes.first()
    if change is None or change.expected_mean is None or change.expected_deviation is None:
        return None
    return Expectation(change.expected_mean, change.expected_deviation)
