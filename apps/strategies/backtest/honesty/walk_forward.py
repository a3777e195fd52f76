"""Would it have been found? Parameters chosen on one stretch of the past, judged on the next, again and again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.cuts import opened_between
from apps.strategies.backtest.folds import Fold, Rows, rolling
from apps.strategies.backtest.honesty.candidates import Candidate, candidates_of
from apps.strategies.backtest.honesty.case import DAY, Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.warm_up import window
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.base import Parameters
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

FOLDS = 4
# Training is this many times as long as the test that follows it.
TRAIN_TESTS = 3
FEWEST_CANDIDATES = 3
# A judgement on less than a day of training is one on noise.
SHORTEST_TEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One fold: what was chosen, and the growth per day (log) that it had in training and then in the test."""

    chosen: str
    trained: float
    tested: float
    net: float


def walk_forward(case: Case) -> Check:
    """Return what the parameters chosen on each training stretch made on the next; FOLDS x (candidates + 1) backtests.

    Between training and test lies as much time as the strategy looks back on, so that no bar counts in both.
    """
    code = CheckCode.WALK_FORWARD
    # Each is tried on every training; what was chosen, once more on its test.
    candidates = candidates_of(case, case.budget // FOLDS - 1)
    if len(candidates) < FEWEST_CANDIDATES:
        least = FOLDS * (FEWEST_CANDIDATES + 1)
        return case.unanswered(
            code,
            f"{len(candidates)} parameter sets to choose among, {FEWEST_CANDIDATES} needed (budget {least} or more)",
        )
    stamps = case.stamps
    try:
        folds = _folds(case, len(stamps))
    except InvalidValue as refusal:
        return case.unanswered(code, f"too little past: {refusal}")
    steps = [_step(case, candidates, stamps, fold) for fold in folds]
    trained, tested = _yearly([step.trained for step in steps]), _yearly([step.tested for step in steps])
    figures = {
        "folds": float(len(steps)),
        "candidates": float(len(candidates)),
        "in_sample": trained,
        "out_of_sample": tested,
        # Where even the choice made in hindsight lost, there is nothing of which a part could remain.
        "efficiency": tested / trained if trained > 0 else 0.0,
        "share_of_folds_profitable": float(np.mean([step.tested > 0 for step in steps])),
    }
    remains = f"{figures['efficiency']:.0%} remain" if trained > 0 and tested > 0 else "nothing remains"
    words = (
        f"{trained:.2%} a year where the parameters were chosen, {tested:.2%} where they were not: {remains}; "
        f"{figures['share_of_folds_profitable']:.0%} of {len(steps)} tests won"
    )
    findings = [f"test {at}: {step.chosen}, net {step.net:.2%}" for at, step in enumerate(steps, start=1)]
    return case.answer(code, figures, words, findings, len(steps) * (len(candidates) + 1))


def _folds(case: Case, count: int) -> tuple[Fold, ...]:
    gap = math.ceil(window(case.loaded, case.setting) / case.setting.interval)
    test = (count - gap) // (FOLDS + TRAIN_TESTS)
    if test * case.setting.interval < SHORTEST_TEST:
        needed = (FOLDS + TRAIN_TESTS) * (SHORTEST_TEST // case.setting.interval) + gap
        raise InvalidValue("bars", count, f"{needed} or more")
    folds = rolling(count, TRAIN_TESTS * test, test, gap)
    if TRAIN_TESTS * test <= gap:
        raise InvalidValue(
            "bars", count, f"more: a training of {TRAIN_TESTS * test} does not reach over {gap} to look at"
        )
    return folds[-FOLDS:]


def _step(case: Case, candidates: tuple[Candidate, ...], stamps: NDArray[np.int64], fold: Fold) -> Step:
    (train,), test = fold.train, fold.test
    runs = [_run(case, parameters, stamps, train) for _, parameters in candidates]
    best = int(np.argmax([_score(run) for run in runs]))
    name, parameters = candidates[best]
    tested = _run(case, parameters, stamps, test)
    return Step(name, _growth(runs[best], train, case), _growth(tested, test, case), _net(tested))


def _run(case: Case, parameters: Parameters, stamps: NDArray[np.int64], rows: Rows) -> BacktestResult:
    """Return the backtest on `rows`; as much as the strategy looks back on lies before them, and is not traded."""
    began = from_milliseconds(int(stamps[rows.start]))
    end = None if rows.stop >= len(stamps) else from_milliseconds(int(stamps[rows.stop]))
    reach = window(replace(case.loaded, parameters=parameters), case.setting)
    part = opened_between(case.setting, began - reach, end)
    return case.run(parameters, replace(part, trades_from=began))


def _score(result: BacktestResult) -> float:
    """Return mean / deviation of the log growth per bar: what does not grow with the size of the position."""
    if not bool(np.all(result.curve.equity > 0)):
        return -math.inf
    growth = np.diff(np.log(result.curve.equity))
    deviation = float(growth.std()) if len(growth) else 0.0
    # Doing nothing beats losing, and is no achievement.
    return float(growth.mean()) / deviation if deviation > 0 else 0.0


def _net(result: BacktestResult) -> float:
    return result.final / result.initial - 1


def _growth(result: BacktestResult, rows: Rows, case: Case) -> float:
    """Return the log growth a day over the stretch that counts; of lost money, what losing all but a 1,000th is."""
    grown = math.log(max(result.final / result.initial, 1e-3))
    return grown / (len(rows) * case.setting.interval / DAY)


def _yearly(daily: Sequence[float]) -> float:
    """Return the mean daily log growth as a return a year."""
    return math.expm1(min(float(np.mean(daily)) * 365, 700.0))
