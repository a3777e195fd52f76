"""Paths of the same trades in other orders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.strategies.backtest.honesty.reshuffled import Draw, paths, trade_returns
from tests.unit.apps.strategies.backtest.honesty.toys import Momentum, case_of

columns = some.lists(some.floats(-0.5, 0.5), min_size=1, max_size=30).map(np.array)


def chance(seed=1):
    return np.random.default_rng(seed)


@given(columns)
def test_another_order_ends_where_the_first_did_and_falls_at_least_as_deep_as_the_worst_trade(returns):
    found = paths(returns, 20, Draw.PERMUTED, chance())
    assert found.final == pytest.approx(np.full(20, np.prod(1 + returns)))
    assert (found.drawdown >= max(0, -returns.min()) - 1e-12).all()
    # Nothing is deeper than all losses in one row.
    assert (found.drawdown <= 1 - np.prod(1 + np.minimum(returns, 0)) + 1e-12).all()


def test_bootstrapped_growth_has_the_mean_that_it_must_have():
    returns = np.array([0.02, -0.01, 0.03, -0.04, 0.01])
    found = paths(returns, 50_000, Draw.BOOTSTRAPPED, chance())
    assert found.final.mean() == pytest.approx((1 + returns.mean()) ** 5, rel=1e-3)


def test_equal_seeds_give_equal_paths_however_they_are_cut_into_chunks(monkeypatch):
    returns = np.linspace(-0.1, 0.12, 25)
    whole = paths(returns, 500, Draw.BOOTSTRAPPED, chance())
    again = paths(returns, 500, Draw.BOOTSTRAPPED, chance())
    assert (whole.final == again.final).all()
    monkeypatch.setattr("apps.strategies.backtest.honesty.reshuffled._CHUNK", 250)
    chunked = paths(returns, 500, Draw.BOOTSTRAPPED, chance())
    assert (whole.final == chunked.final).all()
    assert (whole.drawdown == chunked.drawdown).all()


def test_who_lost_everything_stays_at_nothing():
    found = paths(np.array([-1.5, 1.0]), 10, Draw.PERMUTED, chance())
    assert (found.final == 0).all()
    assert (found.drawdown == 1).all()


def test_returns_of_trades_compound_to_what_the_run_made():
    case, _ = case_of(Momentum())
    returns = trade_returns(case.result)
    assert len(returns) == len(case.result.trades) > 20
    assert np.prod(1 + returns) == pytest.approx(case.result.final / case.result.initial, rel=1e-6)
