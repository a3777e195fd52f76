"""The Sharpe ratio of the days before each day: whether a good figure was earned steadily or in one week."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.metrics import DAY_MS, DAYS_A_YEAR, ROUNDING, daily_closes, daily_returns
from apps.strategies.backtest.results import EquityCurve
from moondev.domain.market_data import Column

# Longest first; a window must fit into the run at least one and a half times to show a course.
WINDOWS = (90, 30)


@dataclass(frozen=True, slots=True)
class Rolling:
    """The ratio over the last `window` daily returns at each `times`, ms UTC; NaN where nothing varied."""

    window: int
    times: NDArray[np.int64]
    sharpe: Column


def rolling_sharpe(curve: EquityCurve) -> Rolling | None:
    """Return the rolling ratio; None for a run too short for any window, or whose equity was lost."""
    returns = daily_returns(daily_closes(curve))
    if returns is None:
        return None
    window = next((days for days in WINDOWS if len(returns) >= 1.5 * days), None)
    if window is None:
        return None
    parts = np.lib.stride_tricks.sliding_window_view(returns, window)
    deviation = parts.std(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(deviation > ROUNDING, parts.mean(axis=1) / deviation * math.sqrt(DAYS_A_YEAR), np.nan)
    days = np.unique((curve.times - 1) // DAY_MS)
    return Rolling(window, (days[window:] + 1) * DAY_MS, ratios)
