"""Every figure by hand on curves short enough to see through; what is undefined is None."""

import math

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.metrics import DAY_MS, daily_closes, max_drawdown, metrics_of
from apps.strategies.backtest.results import BacktestResult, DataSource, EquityCurve, Trade
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Side

HOUR = 3_600_000


def curve(*equity, every=DAY_MS):
    values = np.array(equity, dtype=np.float64)
    return EquityCurve(np.arange(1, len(values) + 1) * every, values, np.zeros(len(values)))


def figures(*equity, trades=()):
    data = DataSource("by hand", "0")
    market = {"a:B": data}, {"a:B": FREE}
    rule = FillRule.NEXT_OPEN
    return metrics_of(BacktestResult("test", {}, "0", "bars", rule, *market, float(equity[0]), trades, curve(*equity)))


def trade(gross, fees=0.0, funding=0.0):
    return Trade("a:B", Side.BUY, 1.0, 0, 100.0, 1, 100.0 + gross, gross, fees, funding, "test")


def test_ratios_are_those_of_daily_returns_with_a_year_of_365_days():
    found = figures(100, 110, 99, 108.9)  # +10 %, -10 %, +10 %
    mean, deviation = 0.1 / 3, math.sqrt(((0.2 / 3) ** 2 * 2 + (0.4 / 3) ** 2) / 2)
    assert found.sharpe == pytest.approx(mean / deviation * math.sqrt(365), rel=1e-12)
    assert found.volatility == pytest.approx(deviation * math.sqrt(365), rel=1e-12)
    assert found.sortino == pytest.approx(mean / math.sqrt(0.01 / 3) * math.sqrt(365), rel=1e-12)
    assert found.cagr == pytest.approx(1.089 ** (365 / 3) - 1, rel=1e-9)
    assert found.max_drawdown == pytest.approx(-0.1)
    assert found.calmar == pytest.approx(found.cagr / 0.1)
    assert found.total_return == pytest.approx(0.089)


def test_what_is_struck_at_midnight_closes_the_day_before():
    assert list(daily_closes(curve(*range(1, 50), every=HOUR))) == [24, 48, 49]


def test_a_drawdown_within_a_day_is_seen():
    hourly = curve(100, 50, *[100] * 46, every=HOUR)
    assert max_drawdown(hourly.equity) == -0.5
    assert max_drawdown(daily_closes(hourly)) == 0


@pytest.mark.parametrize("equity", [(100,), (100, 101), (100, 100, 100)])
def test_too_little_history_and_an_idle_account_have_no_ratio(equity):
    found = figures(*equity)
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)


def test_a_sortino_without_a_losing_day_is_undefined_not_infinite():
    found = figures(100, 101, 103)
    assert found.sortino is None
    assert found.sharpe is not None


def test_an_account_that_lost_more_than_it_had_has_no_growth_and_no_ratio():
    found = figures(100, 50, -10, 20)
    assert (found.cagr, found.sharpe, found.volatility) == (None, None, None)
    assert found.max_drawdown == pytest.approx(-1.1)


def test_one_very_good_day_gives_no_infinite_growth():
    assert figures(1, 100).cagr is None


def test_trades_are_counted_after_costs_and_their_split_adds_up():
    found = figures(100, 100, trades=(trade(3, fees=1), trade(1, fees=1.5), trade(-2, funding=0.5)))
    assert (found.trades, found.win_rate) == (3, pytest.approx(1 / 3))
    assert found.profit_factor == pytest.approx(2 / 2)
    assert (found.gross, found.fees, found.funding, found.net) == (2, 2.5, 0.5, 0)
    assert found.mean_trade == 0


def test_without_trades_or_losses_nothing_is_divided_by_nothing():
    assert (figures(100, 100).win_rate, figures(100, 100).profit_factor) == (None, None)
    assert figures(100, 100, trades=(trade(1),)).profit_factor is None


@pytest.mark.parametrize("equity", [(), (1, math.nan), (1, math.inf)])
def test_a_curve_without_rows_or_with_equity_that_is_no_number_is_refused(equity):
    with pytest.raises(InvalidValue):
        curve(*equity)
