"""The same moving-average cross in our engine and in three others: the same trades, the same money."""

import pytest

from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.metrics import max_drawdown
from apps.strategies.backtest.portfolio import together
from tests.oracle.crosses import CROSSES, FAST, GRID_PAIRS, GRID_QUESTIONS, GRIDS, PORTFOLIOS, SERIES, SLOW
from tests.oracle.ours import (
    closed,
    cross_run,
    cross_targets,
    entry_row,
    exit_row,
    fees_by_bar,
    sampled,
    whole_cross_targets,
)
from tests.oracle.witness import witnessed

MONEY = 1e-6


@pytest.mark.parametrize("asked", CROSSES, ids=lambda asked: f"{asked[2]}, {asked[1]}, {asked[0]}")
def test_the_cross_makes_the_trades_and_the_money_that_another_engine_makes(asked):
    data, rule, name = asked
    theirs = witnessed(CROSSES[asked])
    bars = SERIES[data]()
    run = cross_run(bars, cross_targets(bars.close, FAST, SLOW), rule)
    trades = closed(run.trades("BTC"))
    assert [entry_row(bars, trade, rule) for trade in trades] == theirs["entered"]
    assert [exit_row(bars, trade, rule) for trade in trades] == theirs["exited"]
    assert [trade.entry_price for trade in trades] == pytest.approx(theirs["entry_prices"], abs=1e-9)
    assert [trade.exit_price for trade in trades] == pytest.approx(theirs["exit_prices"], abs=1e-9)
    assert [trade.net for trade in trades] == pytest.approx(theirs["net"], abs=MONEY)
    if "equity" in theirs:
        # backtesting.py books what filled at a close on the bar after it: until then its equity lacks the fee.
        late = name == "backtesting" and rule is FillRule.BAR_CLOSE
        equity = run.equity + fees_by_bar(run) if late else run.equity
        assert sampled(equity) == pytest.approx(theirs["equity"], abs=MONEY)
        assert max_drawdown(equity) == pytest.approx(theirs["deepest"], abs=1e-12)
    else:
        assert len(trades) == len(run.trades("BTC"))
        assert run.equity[-1] == pytest.approx(theirs["balance"], abs=MONEY)


@pytest.mark.parametrize(("rule", "final"), [(FillRule.NEXT_OPEN, 999_398.73772), (FillRule.BAR_CLOSE, 999_397.13916)])
def test_what_the_engines_said_of_the_recorded_cross_is_what_our_reference_prints(rule, final):
    for (data, asked, _), question in CROSSES.items():
        if data == "recorded" and asked is rule:
            theirs = witnessed(question)
            assert len(theirs["entered"]) == 557
            ending = theirs["equity"][-1] if "equity" in theirs else theirs["balance"]
            assert ending == pytest.approx(final, abs=5.1e-6)


@pytest.mark.parametrize("asked", GRID_QUESTIONS, ids=lambda asked: f"{asked[1]}, {asked[0]}")
def test_twenty_pairs_of_lengths_on_three_coins_make_what_vectorbt_makes(asked):
    data, rule = asked
    theirs = witnessed(GRID_QUESTIONS[asked])["instruments"]
    for coin, bars in GRIDS[data]().items():
        targets = [whole_cross_targets(bars.close, fast, slow) for fast, slow in GRID_PAIRS]
        runs = [cross_run(bars, column, rule) for column in targets]
        trades = [closed(run.trades(coin)) for run in runs]
        assert [len(made) for made in trades] == theirs[coin]["trades"]
        assert [exit_row(bars, made[-1], rule) for made in trades] == theirs[coin]["last_exits"]
        assert [run.equity[-1] for run in runs] == pytest.approx(theirs[coin]["final"], abs=MONEY)
        assert [run.equity.mean() for run in runs] == pytest.approx(theirs[coin]["mean"], abs=MONEY)
        assert [run.equity.min() for run in runs] == pytest.approx(theirs[coin]["lowest"], abs=MONEY)


@pytest.mark.parametrize("data", PORTFOLIOS)
def test_three_coins_out_of_one_purse_are_worth_what_vectorbts_are(data):
    theirs = witnessed(PORTFOLIOS[data])
    series = GRIDS[data]()
    rule = FillRule.NEXT_OPEN
    runs = {coin: cross_run(bars, whole_cross_targets(bars.close, FAST, SLOW), rule) for coin, bars in series.items()}
    equity = together(runs).curve.equity
    assert [len(closed(run.trades(coin))) for coin, run in runs.items()] == theirs["trades"]
    assert sampled(equity) == pytest.approx(theirs["equity"], abs=MONEY)
    assert max_drawdown(equity) == pytest.approx(theirs["deepest"], abs=1e-12)
