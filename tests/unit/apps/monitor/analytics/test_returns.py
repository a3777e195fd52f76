from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from apps.monitor.analytics.period import Period
from apps.monitor.analytics.returns import Points, read_points, returns_of
from moondev.domain.errors import InvalidValue
from tests.support.analytics_world import START, keep_points
from tests.unit.apps.strategies.backtest.test_bars import FillRule, recorded_cross

DAY = timedelta(days=1)
DAY_MS = 86_400_000


def points(growth, *, every=DAY_MS, runs=None, equity=None, funded=None) -> Points:
    size = len(growth)
    values = np.array(growth, dtype=np.float64)
    return Points(
        at=(np.arange(size) + 1) * every,
        equity=100 * values if equity is None else np.array(equity, dtype=np.float64),
        funded=np.zeros(size) if funded is None else np.array(funded, dtype=np.float64),
        growth=values,
        run=np.zeros(size, dtype=np.int64) if runs is None else np.array(runs, dtype=np.int64),
    )


def test_ratios_are_those_of_a_backtest_with_the_same_equity() -> None:
    found = returns_of(points([1, 1.1, 0.99, 1.089, 1.089, 1.089, 1.089, 1.089]))
    steps = [0.1, -0.1, 0.1, 0, 0, 0, 0]
    mean = sum(steps) / 7
    deviation = math.sqrt(sum((step - mean) ** 2 for step in steps) / 6)
    assert found.days == 7
    assert found.twr == pytest.approx(0.089)
    assert found.sharpe == pytest.approx(mean / deviation * math.sqrt(365))
    assert found.sortino == pytest.approx(mean / math.sqrt(0.01 / 7) * math.sqrt(365))
    assert found.max_drawdown == pytest.approx(-0.1)
    assert found.yearly == pytest.approx(1.089 ** (365 / 7) - 1)
    assert found.calmar == pytest.approx(found.yearly / 0.1)
    assert found.why == {}


def test_the_ratios_of_the_recorded_sma_cross_are_those_of_empyrical_and_quantstats() -> None:
    curve = recorded_cross(FillRule.NEXT_OPEN).curve
    nothing = np.zeros(len(curve.equity))
    growth = curve.equity / curve.equity[0]
    found = returns_of(Points(curve.times, curve.equity, nothing, growth, nothing.astype(np.int64)))
    assert found.days == 499
    assert found.sharpe == pytest.approx(-0.0191124275, abs=5.1e-11)
    assert found.sortino == pytest.approx(-0.0300666782, abs=5.1e-11)
    assert found.max_drawdown == pytest.approx(-0.0167249968, abs=5.1e-11)
    assert found.volatility == pytest.approx(0.0161833952, abs=5.1e-11)


def test_money_that_was_paid_in_is_no_return() -> None:
    # 100 becomes 110, then 90 are paid in, then 200 become 210: growth says 1.1 x 1.05.
    found = returns_of(points([1, 1.1, 1.1, 1.155], equity=[100, 110, 200, 210], funded=[100, 100, 190, 190]))
    assert found.twr == pytest.approx(0.155)
    assert (found.first, found.last, found.net_flow) == (100, 210, 90)


def test_where_other_accounts_are_added_up_the_chain_goes_on_and_the_seam_is_no_return() -> None:
    found = returns_of(points([1, 1.1, 5, 5.5], runs=[0, 0, 1, 1]))
    assert found.twr == pytest.approx(1.1 * 1.1 - 1)


def test_a_day_nobody_saw_has_no_return_and_neither_has_the_next() -> None:
    whole = points([1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7])
    keep = np.array([0, 1, 2, 4, 5, 6, 7])
    found = returns_of(Points(*(getattr(whole, name)[keep] for name in Points.__slots__)))
    assert found.days == 5
    assert found.twr == pytest.approx(0.7)


def test_what_is_not_known_is_none_and_says_why() -> None:
    nothing = returns_of(None)
    assert (nothing.twr, nothing.why) == (None, {"twr": "no points of equity in the period"})
    assert returns_of(points([1])).why["twr"].startswith("one point")
    short = returns_of(points([1, 1.1, 1.2]))
    assert short.twr == pytest.approx(0.2)
    assert (short.sharpe, short.yearly, short.calmar) == (None, None, None)
    assert short.why["sharpe"] == "2 daily returns, 5 are needed"
    assert short.why["yearly"] == "2.0 days, 7 are needed"
    rising = returns_of(points([1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]))
    assert (rising.calmar, rising.why["calmar"]) == (None, "no drawdown to divide by")


def test_mean_equity_counts_each_point_for_as_long_as_it_stood() -> None:
    found = points([1, 1, 1], equity=[100, 200, 300])
    uneven = Points(np.array([0, 3, 4]) * DAY_MS, found.equity, found.funded, found.growth, found.run)
    assert returns_of(uneven).mean_equity == pytest.approx(125)


@pytest.mark.django_db
def test_a_period_begins_with_the_last_point_before_it_if_that_is_near() -> None:
    rows = [(START - 5 * DAY, 90, 0, 0.9, 0), (START - DAY / 2, 100, 0, 1.0, 0), (START + DAY / 2, 110, 0, 1.1, 0)]
    keep_points("strategy", "turtle", rows)
    keep_points("account", "turtle", rows[:1])
    scopes = [("strategy", "turtle"), ("account", "turtle"), ("strategy", "nobody")]
    found = read_points(scopes, Period(START, START + DAY))
    assert list(found) == [("strategy", "turtle")]
    assert returns_of(found["strategy", "turtle"]).twr == pytest.approx(0.1)


def test_refuses_a_period_that_is_none() -> None:
    with pytest.raises(InvalidValue, match="end"):
        Period(START, START)
    with pytest.raises(InvalidValue, match="3660 days"):
        Period(START - timedelta(days=4000), START)
    with pytest.raises(InvalidValue, match="time zone"):
        Period(START.replace(tzinfo=None), START)
