"""Costs that take the edge are told, and trades without an edge fail."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE, Costs, FixedSlippage, SquareRootImpact
from apps.strategies.backtest.honesty.fees import GRID, Times, doubled, fees
from tests.unit.apps.strategies.backtest.honesty.toys import COSTS, Momentum, case_of, walk

TREND = walk(drift=0.0, memory=0.6)
NOISE = walk(deviation=0.0005)


def test_an_edge_of_many_times_its_costs_passes_and_the_figures_add_up():
    case, runs = case_of(Momentum(), TREND, parameters={"length": 2})
    found = fees(case)
    assert found.passed, found.words
    assert found.backtests == len(runs) == 5
    figures = found.figures
    assert figures["net_free"] > figures["net_maker"] > figures["net_stated"] > figures["net_double"] > 0
    assert figures["net_taker"] == figures["net_stated"]  # market orders only: each is taken as it is
    # Every order is a market order: fee, half the spread.
    assert figures["cost_bps"] == pytest.approx(COSTS.taker_bps + COSTS.spread_bps / 2, rel=1e-3)
    assert figures["edge_over_cost"] == pytest.approx(figures["break_even_bps"] / figures["cost_bps"])


def test_an_edge_smaller_than_its_costs_fails_and_says_what_they_may_be():
    case, _ = case_of(Momentum(), NOISE, parameters={"length": 2})
    found = fees(case)
    assert found.passed is False
    assert found.figures["net_double"] < found.figures["net_stated"] < 0
    assert "net_double is" in found.words
    assert "at least 0 is wanted" in found.words


def test_trading_at_the_break_even_cost_leaves_nothing():
    case, _ = case_of(Momentum(), TREND, parameters={"length": 2})
    edge = fees(case).figures["break_even_bps"]
    again, _ = case_of(Momentum(), TREND, costs=Costs(edge, edge), parameters={"length": 2})
    assert again.result.final == pytest.approx(again.result.initial, rel=1e-9)


@pytest.mark.parametrize(
    ("strategy", "close", "costs", "why"),
    [
        (Momentum(), np.full(100, 100.0), COSTS, "no trades"),
        (Momentum(), TREND, FREE, "edge_over_cost could not be computed"),
    ],
)
def test_without_trades_or_costs_it_cannot_be_judged(strategy, close, costs, why):
    case, _ = case_of(strategy, close, costs=costs)
    found = fees(case)
    assert found.passed is None
    assert why in found.words


def test_a_limit_that_would_end_the_dear_runs_early_is_lifted_in_all_of_them():
    case, runs = case_of(Momentum(), TREND, parameters={"length": 2})
    strict = replace(case, setting=replace(case.setting, limits={"strategy_drawdown": Decimal("0.01")}))
    fees(strict)
    assert [dict(one.limits) for one in runs] == [{"strategy_drawdown": 1, "portfolio_drawdown": 1}] * 5


def test_no_cost_of_the_grid_pays_and_twice_is_twice():
    rebate = Costs(-0.5, 3, spread_bps=2, slippage=SquareRootImpact(10))
    # As stated is as stated, a rebate too.
    assert all(changed(rebate).maker_bps >= 0 for name, changed in GRID.items() if name != "stated")
    assert GRID["stated"](rebate) == rebate
    twice = doubled(rebate)
    assert (twice.maker_bps, twice.taker_bps, twice.spread_bps) == (0, 6, 4)
    size, volume = np.array([1.0, 4.0]), np.array([100.0, 100.0])
    assert twice.slippage.bps(size, volume).tolist() == (2 * rebate.slippage.bps(size, volume)).tolist()
    assert Times(FixedSlippage(3), 2).bps(size, volume).tolist() == [6, 6]
    assert replace(rebate, maker_bps=1) != rebate
