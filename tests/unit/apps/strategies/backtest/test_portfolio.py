"""Instruments that share one purse."""

import math
from datetime import timedelta
from itertools import permutations

import numpy as np
import pytest

from apps.strategies.backtest.bars import run_targets
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.portfolio import together
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

HOUR = 3_600_000


def run(seed, initial=10_000.0, skip=None, step=HOUR):
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 100)))
    opened = np.concatenate(([100.0], close[:-1]))
    stamps = np.delete(np.arange(101, dtype=np.int64), 100 if skip is None else skip) * step
    bars = BarSeries(
        timedelta(milliseconds=step), stamps, opened, np.maximum(opened, close), np.minimum(opened, close), close,
        np.ones(100),
    )  # fmt: skip
    targets = random.integers(-2, 3, 100).astype(np.float64)
    return run_targets(bars, targets, Costs(2, 6), FillRule.NEXT_OPEN, initial)


def test_profits_and_trades_add_up():
    runs = {"BTC": run(1), "ETH": run(2)}
    whole = together(runs)
    profit = whole.curve.equity[-1] - 10_000
    assert profit == pytest.approx(sum(one.equity[-1] - 10_000 for one in runs.values()), abs=1e-8)
    assert math.fsum(trade.net for trade in whole.trades) == pytest.approx(profit, abs=1e-8)
    ends = [trade.exited_ms for trade in whole.trades]
    assert ends == sorted(ends)
    assert {trade.instrument for trade in whole.trades} == {"BTC", "ETH"}


def test_exposure_is_that_of_all_positions_against_the_shared_equity():
    one, other = run(1), run(2)
    curve = together({"BTC": one, "ETH": other}).curve
    notional = one.held * one.bars.close + other.held * other.bars.close
    assert curve.exposure == pytest.approx(notional / curve.equity, abs=1e-12)


def test_the_order_of_the_instruments_changes_nothing_to_the_last_digit():
    runs = {"BTC": run(1), "ETH": run(2), "SOL": run(3)}
    curves = [together(dict(order)).curve.equity for order in permutations(runs.items())]
    assert all(list(curve) == list(curves[0]) for curve in curves)
    trades = [together(dict(order)).trades for order in permutations(runs.items())]
    assert all(one == trades[0] for one in trades)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (run(2, initial=5_000.0), "initial of ETH is 5000.0"),
        (run(2, skip=40), "bars of ETH is 'other times from row 40 on'"),
        (run(2, step=60_000), "interval of ETH"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(other, message):
    with pytest.raises(InvalidValue, match=message):
        together({"BTC": run(1), "ETH": other})


def test_a_portfolio_of_nothing_is_refused():
    with pytest.raises(InvalidValue, match="at least one"):
        together({})
