"""Stops and targets inside bars, in our engine and in backtesting.py."""

import pytest

from apps.strategies.backtest.brackets import run_brackets
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.results import END_OF_DATA
from tests.oracle.brackets import BRACKETS, FEE_BPS, SERIES, breaks
from tests.oracle.crosses import INITIAL
from tests.oracle.ours import closed, entry_row, exit_row, sampled
from tests.oracle.witness import witnessed

RULE = FillRule.NEXT_OPEN


@pytest.mark.parametrize("data", BRACKETS)
def test_brackets_enter_stop_and_take_profit_where_another_engine_does(data):
    theirs = witnessed(BRACKETS[data])
    bars = SERIES[data]()
    run = run_brackets(bars, breaks(bars), Costs(FEE_BPS, FEE_BPS), RULE, INITIAL)
    trades = closed(run.trades("ETH"))
    assert [1 if trade.side.value == "buy" else -1 for trade in trades] == theirs["size"]
    assert [entry_row(bars, trade, RULE) for trade in trades] == theirs["entered"]
    assert [exit_row(bars, trade, RULE) for trade in trades] == theirs["exited"]
    assert [trade.entry_price for trade in trades] == pytest.approx(theirs["entry_prices"], abs=1e-9)
    assert [trade.exit_price for trade in trades] == pytest.approx(theirs["exit_prices"], abs=1e-9)
    assert [trade.net for trade in trades] == pytest.approx(theirs["net"], abs=1e-6)
    assert sampled(run.equity) == pytest.approx(theirs["equity"], abs=1e-6)


def test_the_one_trade_of_658_that_differs_is_the_one_that_the_other_engine_ends_at_the_last_open():
    theirs = witnessed(BRACKETS["recorded"])
    bars = SERIES["recorded"]()
    *same, last = run_brackets(bars, breaks(bars), Costs(FEE_BPS, FEE_BPS), RULE, INITIAL).trades("ETH")
    assert (len(same), len(theirs["exited"]), theirs["trades_when_finalized"]) == (657, 657, 658)
    assert theirs["last_exit_when_finalized"] == bars.open[-1] == 2560.21
    assert (last.reason, last.exit_price) == (END_OF_DATA, bars.close[-1])
    assert bars.close[-1] == 2567.47
