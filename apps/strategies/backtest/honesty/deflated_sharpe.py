"""Is it the best of many tries? The Sharpe ratio, less what the best of that many worthless ones shows by luck."""

from __future__ import annotations

import math

import numpy as np

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.cuts import timeline
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.sharpe import (
    deflated,
    expected_maximum,
    moments,
    probabilistic,
    shortest_record,
    variance_by_chance,
)
from apps.strategies.backtest.honesty.warm_up import window
from apps.strategies.backtest.metrics import DAYS_A_YEAR, daily_closes, daily_returns
from apps.strategies.backtest.results import EquityCurve

# With fewer, skew and kurtosis are noise.
FEWEST_DAYS = 20


def deflated_sharpe(case: Case) -> Check:
    """Return the probability that the true Sharpe ratio beats the luck of the trials; runs no backtest of its own.

    Where the trials' own ratios were not kept, they are taken to vary as those of worthless strategies would.
    """
    code = CheckCode.DEFLATED_SHARPE
    returns = daily_returns(daily_closes(_acting(case)))
    if returns is None:
        return case.unanswered(code, "equity fell to 0 or below: there is no return after that")
    if len(returns) < FEWEST_DAYS:
        return case.unanswered(code, f"{len(returns)} daily returns, {FEWEST_DAYS} are needed")
    found = moments(returns)
    if found is None:
        return case.unanswered(code, "the daily returns do not vary: nothing was traded")
    trials, kept = case.trials.count, case.trials.variance
    variance = variance_by_chance(found.count) if kept is None else kept
    luck, year = expected_maximum(trials, variance), math.sqrt(DAYS_A_YEAR)
    figures = {
        "deflated": deflated(found, trials, variance),
        "probabilistic": probabilistic(found, 0.0),
        "sharpe": found.sharpe * year,
        "luck": luck * year,
        "trials": float(trials),
        "skew": found.skew,
        "kurtosis": found.kurtosis,
        "returns": float(found.count),
        "shortest_record": shortest_record(found, luck),
    }
    spread = "as worthless strategies vary" if kept is None else "as they were stored"
    words = (
        f"Sharpe {figures['sharpe']:.2f} a year over {found.count} days; the best of {trials} worthless trials shows "
        f"{figures['luck']:.2f} ({spread}); the true ratio is above that with probability {figures['deflated']:.1%}"
    )
    return case.answer(code, figures, words)


def _acting(case: Case) -> EquityCurve:
    """Return the curve from when it could act: the days before it had seen enough are no record of anything."""
    curve, first = case.result.curve, int(timeline(case.setting)[0])
    seen = first + step_ms(window(case.loaded, case.setting))
    began = min([seen, *(trade.entered_ms for trade in case.result.trades)])
    row = min(int(np.searchsorted(curve.times, began, side="right")), len(curve) - 1)
    return EquityCurve(curve.times[row:], curve.equity[row:], curve.exposure[row:])
