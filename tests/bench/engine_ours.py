"""``python -m tests.bench.engine_ours KIND columns parameters``: our engines, timed as those of others are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import talib

from moondev.domain.market_data import BarSeries
from tests.oracle.engines.timed import serve

Columns = Mapping[str, Any]
Run = Callable[[], int]


def prepare_columns(columns: Columns, parameters: Mapping[str, Any]) -> Run:
    """Return the run of every pair in columns: from closes to equity and trades, at next opens."""
    from apps.strategies.backtest.bars import run_targets
    from apps.strategies.backtest.costs import Costs
    from apps.strategies.backtest.fills import FillRule
    from apps.strategies.backtest.results import END_OF_DATA
    from tests.oracle.ours import while_above

    bars, fee = bars_of(columns), parameters["fee_bps"]
    costs = Costs(maker_bps=fee, taker_bps=fee)

    def run() -> int:
        made = 0
        # Each mean once, as vectorbt does.
        means = {length: talib.SMA(bars.close, length) for pair in parameters["pairs"] for length in pair}
        for fast, slow in parameters["pairs"]:
            targets = while_above(means[fast] - means[slow])
            one = run_targets(bars, targets, costs, FillRule.NEXT_OPEN, parameters["initial"])
            made += sum(trade.reason != END_OF_DATA for trade in one.trades("BTC"))
        return made

    return run


def prepare_replay(columns: Columns, parameters: Mapping[str, Any]) -> Run:
    """Return the run of the cross through the live tick."""
    return _engine(columns, parameters, "replay")


def prepare_vectorised(columns: Columns, parameters: Mapping[str, Any]) -> Run:
    """Return the run of the same strategy by its columns."""
    return _engine(columns, parameters, "vectorised")


def _engine(columns: Columns, parameters: Mapping[str, Any], name: str) -> Run:
    os.environ["DJANGO_SETTINGS_MODULE"] = "moondev.settings.test"
    import django

    django.setup()
    from apps.strategies.backtest.engines import EngineName, backtest
    from apps.strategies.backtest.fills import FillRule
    from tests.oracle.ours import closed
    from tests.oracle.toy_cross import loaded, setting

    bars = bars_of(columns)
    ((fast, slow),) = parameters["pairs"]
    idea, where = loaded(bars, fast, slow), setting(bars, FillRule.NEXT_OPEN)
    return lambda: len(closed(backtest(idea, where, EngineName(name)).trades))


def bars_of(columns: Columns) -> BarSeries:
    """Return the columns as bars."""
    stamps = columns["opened_ms"]
    prices = [np.ascontiguousarray(columns[name]) for name in ("open", "high", "low", "close", "volume")]
    return BarSeries(timedelta(milliseconds=int(stamps[1] - stamps[0])), stamps, *prices)


KINDS = {"columns": prepare_columns, "replay": prepare_replay, "vectorised": prepare_vectorised}

if __name__ == "__main__":
    serve(KINDS[sys.argv[1]], sys.argv[2:])
