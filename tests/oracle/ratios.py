"""Ratios of daily returns in two libraries: of real runs, and of series that ratios break on."""

from __future__ import annotations

import numpy as np

from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.metrics import daily_closes
from moondev.domain.market_data import BarSeries, Column
from tests.oracle.crosses import FAST, SLOW, made_up, recorded
from tests.oracle.ours import cross_run, cross_targets
from tests.oracle.questions import Engine, Given, Question

RATIOS = Engine("research", "ratios.py")
TOLERANCE = 1e-12


def returns_of_cross(bars: BarSeries) -> Column:
    """Return the daily returns of the cross, bought at next opens."""
    run = cross_run(bars, cross_targets(bars.close, FAST, SLOW), FillRule.NEXT_OPEN)
    closes = daily_closes(run.curve)
    return np.asarray(closes[1:] / closes[:-1] - 1)


def hard_series() -> dict[str, Column]:
    """Return returns that ratios break on."""
    random = np.random.default_rng(1)
    noise = random.integers(-500, 501, 400) / 10_000
    return {
        "noise": noise,
        "only gains": np.abs(noise) + 0.0001,
        "only losses": -np.abs(noise) - 0.0001,
        "nothing": np.zeros(30),
        "the same every day": np.full(30, 0.001),
        "one gain": np.array([0.0] * 20 + [0.05] + [0.0] * 20),
        "one loss": np.array([0.0] * 20 + [-0.05] + [0.0] * 20),
        "two days": np.array([0.01, -0.02]),
        "tiny": noise * 1e-9,
        "wild": noise * 15,
        "almost ruined": np.concatenate((noise, [-0.999_999], noise)),
        "long": np.tile(noise, 10),
    }


def _recorded() -> Given:
    return Given({"cross": returns_of_cross(recorded())})


def _made_up() -> Given:
    return Given({"cross": returns_of_cross(made_up()), **hard_series()})


RATIO_QUESTIONS = {
    "recorded": Question("ratios.recorded", RATIOS, _recorded, TOLERANCE),
    "walk": Question("ratios.walk", RATIOS, _made_up, TOLERANCE),
}
