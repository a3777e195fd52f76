"""A quick look whether a strategy peeks, cheap enough for every backtest that somebody will look at."""

from __future__ import annotations

import numpy as np

from apps.strategies.backtest.cuts import timeline
from apps.strategies.backtest.honesty.columns import changing_columns
from apps.strategies.backtest.honesty.shown import knowing_dates, reaching_out
from apps.strategies.backtest.honesty.warm_up import window
from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue

DECISIONS = 12
CUTS = 2
# Equal input, equal answer: where it looks is drawn once and for all.
SEED = 1


def require_blind(loaded: Loaded, setting: Setting) -> None:
    """Raise InvalidValue, with what and where, for a strategy that answers by more than it is shown.

    A dozen decisions are asked for again on copies of the bars and under other dates, and signals of the whole past
    are held to those of two parts of it. It runs no backtest; the look-ahead check does, and finds more.
    """
    stamps = timeline(setting)
    warm = milliseconds(from_milliseconds(int(stamps[0])) + window(loaded, setting))
    closes = stamps[stamps >= warm]
    if len(closes) < DECISIONS:
        return
    chance = np.random.default_rng(SEED)
    moments = [from_milliseconds(int(stamp)) for stamp in np.sort(chance.choice(closes, DECISIONS, replace=False))]
    found = [
        *reaching_out(loaded, setting, moments),
        *knowing_dates(loaded, setting, moments),
        *changing_columns(loaded, setting, moments[-CUTS:]),
    ]
    if found:
        raise InvalidValue(f"strategy {loaded.strategy.name}", "; ".join(found), "one that decides by what it is shown")
