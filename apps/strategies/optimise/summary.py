"""What a finished run found: the choice of each fold and what it did afterwards, and how much of it is luck."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from apps.strategies.backtest.engines import EngineName, backtest_on
from apps.strategies.backtest.honesty.sharpe import deflated, expected_maximum, moments
from apps.strategies.backtest.metrics import DAYS_A_YEAR, daily_closes, daily_returns, sharpe
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.models import OptimisationRun, TrialStatus
from apps.strategies.optimise.choosing import Ended, best_first, ended_trials, on_front
from apps.strategies.optimise.ground import Ground
from apps.strategies.optimise.plan import Plan
from apps.strategies.optimise.windows import Window, part_of
from apps.strategies.orchestrator.loader import load
from moondev.domain.clock import from_milliseconds
from moondev.domain.market_data import Column

MOST_SHOWN = 25


@dataclass(slots=True)
class _Again:
    """Backtests of chosen trials, each run once more: a row keeps figures, not the equity they were taken from."""

    plan: Plan
    ground: Ground
    _runs: dict[int, BacktestResult] = field(default_factory=dict)

    def returns(self, trial: Ended, window: Window) -> Column | None:
        """Return the daily returns of a trial in a window."""
        if trial.number not in self._runs:
            loaded = load(self.plan.request.kind, {**self.plan.request.parameters, **trial.parameters})
            engine = EngineName(self.plan.request.engine)
            self._runs[trial.number] = backtest_on(self.ground.markets, loaded, engine)
        return daily_returns(daily_closes(part_of(self._runs[trial.number], window).curve))


def summary_of(run: OptimisationRun, plan: Plan, ground: Ground) -> dict[str, Any]:
    """Return plain values for table, page and report."""
    trials, again = ended_trials(run), _Again(plan, ground)
    last = len(ground.folds) - 1
    chosen = [next(iter(best_first(trials, fold)), None) for fold in range(len(ground.folds))]
    best = best_first(trials, last)
    return {
        "counts": counts_of(run),
        "answers": len(best),
        "best": [trial.number for trial in best[:MOST_SHOWN]],
        "front": [trial.number for trial in on_front(trials, last)],
        "folds": [_fold_told(trial, fold, ground) for fold, trial in enumerate(chosen)],
        "out_of_sample": _out_of_sample(chosen, ground, again),
        # What the model or the data refused was no try.
        "luck": _luck(best, len(trials), ground, again),
    }


def counts_of(run: OptimisationRun) -> dict[str, int]:
    """Return how many trials ended or stand in each way."""
    found = Counter(run.trials.values_list("status", flat=True))
    return {status.value: found.get(status.value, 0) for status in TrialStatus}


def _fold_told(trial: Ended | None, fold: int, ground: Ground) -> dict[str, Any]:
    windows = ground.folds[fold]
    told: dict[str, Any] = {"train": _span(windows.train), "test": windows.test and _span(windows.test)}
    if trial is None:
        return {**told, "chosen": None}
    figures = trial.figures["folds"][fold]
    return {**told, "chosen": trial.number, "train_figures": figures["train"], "test_figures": figures["test"]}


def _out_of_sample(chosen: Sequence[Ended | None], ground: Ground, again: _Again) -> dict[str, Any] | None:
    """Return what the choices made one after the other, each on the stretch it was not chosen on."""
    parts = [
        again.returns(trial, fold.test)
        for trial, fold in zip(chosen, ground.folds, strict=True)
        if trial is not None and fold.test is not None
    ]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    returns = np.concatenate(known)
    return {"days": len(returns), "sharpe": sharpe(returns), "total_return": float(np.prod(1 + returns) - 1)}


def _luck(best: Sequence[Ended], tried: int, ground: Ground, again: _Again) -> dict[str, Any] | None:
    """Return the best trial's Sharpe ratio against what the best of so many worthless ones shows.

    The trials' ratios vary as they were found to; source: `backtest/honesty/sharpe.py`.
    """
    ratios = [value for trial in best if (value := trial.figures["folds"][-1]["train"]["sharpe"]) is not None]
    returns = again.returns(best[0], ground.folds[-1].train) if best else None
    found = None if returns is None else moments(returns)
    if found is None or len(ratios) < 2:
        return None
    year = math.sqrt(DAYS_A_YEAR)
    variance = float(np.var(np.array(ratios) / year, ddof=1))
    return {
        "trials": tried,
        "sharpe": found.sharpe * year,
        "expected_by_luck": expected_maximum(tried, variance) * year,
        "deflated": deflated(found, tried, variance),
    }


def _span(window: Window) -> list[str]:
    return [f"{from_milliseconds(edge):%Y-%m-%d %H:%M}" for edge in (window.start_ms, window.end_ms)]
