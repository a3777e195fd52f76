"""At which closes decisions are compared: some at random, some where the strategy acted."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.cuts import timeline
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.results import BacktestResult
from moondev.domain.clock import from_milliseconds, milliseconds

DECISIONS = 300


def sampled(case: Case, run: BacktestResult, since: datetime, most: int = DECISIONS) -> list[datetime]:
    """Return at most `most` closes after `since`, in order; half of them the last ones before a trade of `run` began.

    A strategy wants nothing most of the time: at random closes alone two empty wishes would be compared.
    """
    step = step_ms(case.setting.interval)
    closes = timeline(case.setting) + step
    closes = closes[closes > milliseconds(since)]
    if not len(closes):
        return []
    chance = case.generator()
    entered = np.array([trade.entered_ms for trade in run.trades], dtype=np.int64)
    acted = np.unique(np.searchsorted(closes, entered, side="right") - 1)
    acted = acted[acted >= 0]
    if len(acted) > most // 2:
        acted = chance.choice(acted, size=most // 2, replace=False)
    anywhere = chance.choice(len(closes), size=min(most - len(acted), len(closes)), replace=False)
    rows = np.union1d(acted, anywhere)
    return [from_milliseconds(int(closes[int(row)])) for row in rows]
