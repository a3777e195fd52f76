"""From a run to the result that is stored, compared and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.strategies.backtest.bars import BarRun
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.results import BacktestResult, DataSource


@dataclass(frozen=True, slots=True)
class Subject:
    """What was tried: the strategy, its parameters, the hash of the code that decided and the instrument's key."""

    strategy: str
    parameters: Mapping[str, object]
    code_hash: str
    instrument: str


ENGINE = "bars"


def outcome(run: BarRun, subject: Subject, data: DataSource, rule: FillRule) -> BacktestResult:
    """Return the run as a result; what is doubtful about the data or the run is among its warnings."""
    return BacktestResult(
        strategy=subject.strategy,
        parameters=dict(subject.parameters),
        code_hash=subject.code_hash,
        engine=ENGINE,
        rule=rule,
        data={subject.instrument: data},
        costs={subject.instrument: run.costs},
        initial=run.initial,
        trades=run.trades(subject.instrument),
        curve=run.curve,
        warnings=(*data.warnings, *run.warnings),
    )
