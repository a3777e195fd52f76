"""A run becomes a result that carries everything it was made from."""

from datetime import timedelta

import numpy as np
import pytest

from apps.strategies.backtest.bars import run_targets
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.metrics import metrics_of
from apps.strategies.backtest.outcome import Subject, outcome
from apps.strategies.backtest.results import DataSource
from moondev.domain.market_data import BarSeries

DAY = 86_400_000


def test_a_result_keeps_costs_trades_and_warnings_and_its_figures_add_up():
    close = np.array([100.0, 110, 90, 95, 20])
    bars = BarSeries(timedelta(days=1), np.arange(5) * DAY, close, close, close, close, np.ones(5))
    costs = Costs(2, 10)
    run = run_targets(bars, np.array([1.0, 1, 0, 2, 2]), costs, FillRule.BAR_CLOSE, 100)
    source = DataSource("five days", "abc", warnings=("GAP: one day",))
    result = outcome(run, Subject("toy", {"length": 3}, "f00", "test:BTC"), source, FillRule.BAR_CLOSE)
    assert (result.strategy, result.parameters, result.code_hash) == ("toy", {"length": 3}, "f00")
    assert (result.data, result.costs, result.initial) == ({"test:BTC": source}, {"test:BTC": costs}, 100)
    assert (result.engine, result.rule) == ("bars", FillRule.BAR_CLOSE)
    assert [trade.instrument for trade in result.trades] == ["test:BTC", "test:BTC"]
    assert result.warnings[0] == "GAP: one day"
    assert "1970-01-05" in result.warnings[1]
    found = metrics_of(result)
    assert found.net == pytest.approx(result.final - 100)
    assert found.fees == pytest.approx(0.001 * (100 + 90 + 190))
    assert (found.win_rate, found.sharpe) == (0.0, None)
    assert found.time_in_market == pytest.approx(0.6)
