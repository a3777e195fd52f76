"""How many parameter sets a kind of strategy was searched with, and how their Sharpe ratios varied."""

from __future__ import annotations

import numpy as np

from apps.strategies.backtest.honesty.case import Trials
from apps.strategies.backtest.metrics import DAYS_A_YEAR
from apps.strategies.models import Trial, TrialStatus


def trials_kept(kind: str) -> Trials:
    """Return the trials of every stored search for parameters of `kind`, whatever its data; one when there are none.

    All of them count: whoever searched on one coin and checks on another has looked at both. What the model or the
    data refused was no try. The variance is that of the daily ratios over each trial's whole past.
    """
    done = Trial.objects.filter(run__kind=kind, status=TrialStatus.DONE)
    yearly = [ratio for ratio in done.values_list("figures__whole__sharpe", flat=True) if ratio is not None]
    ratios = np.array(yearly, dtype=np.float64) / np.sqrt(DAYS_A_YEAR)
    return Trials(max(done.count(), 1), float(ratios.var(ddof=1)) if len(ratios) > 1 else None)
