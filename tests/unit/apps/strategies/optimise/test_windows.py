from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.metrics import DAY_MS, metrics_of
from apps.strategies.backtest.results import BacktestResult, DataSource, EquityCurve, Trade
from apps.strategies.optimise.objectives import (
    LESS_IS_BETTER,
    OBJECTIVES,
    figures_of,
    oriented,
    require_objectives,
    scores_of,
)
from apps.strategies.optimise.windows import Window, part_of, walk_folds
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Side

STEP = 3_600_000


def closes(count):
    return (np.arange(count, dtype=np.int64) + 1) * STEP


@given(st.integers(20, 400), st.integers(1, 8), st.integers(0, 30))
def test_training_ends_a_purge_before_its_test_and_tests_cover_the_end_once(count, folds, purge):
    assume(count // (folds + 1) > purge)
    stamps = closes(count)
    found = walk_folds(stamps, folds, purge)
    assert len(found) == folds
    for fold in found:
        # The rows of the training, those of the gap and those of the test, in this order and none twice.
        train = (stamps > fold.train.start_ms) & (stamps <= fold.train.end_ms)
        test = (stamps > fold.test.start_ms) & (stamps <= fold.test.end_ms)
        assert train[0]
        assert not (train & test).any()
        assert np.flatnonzero(test)[0] - np.flatnonzero(train)[-1] - 1 == purge
    edges = [(fold.test.start_ms, fold.test.end_ms) for fold in found]
    assert all(before[1] == after[0] for before, after in pairwise(edges))
    assert edges[-1][1] == stamps[-1]
    assert sorted(fold.train.end_ms for fold in found) == [fold.train.end_ms for fold in found]


def test_no_fold_trains_on_everything_and_judges_nothing():
    (fold,) = walk_folds(closes(50), 0, 10)
    assert fold.test is None
    assert (fold.train.start_ms, fold.train.end_ms) == (0, 50 * STEP)


@pytest.mark.parametrize(("folds", "purge"), [(-1, 0), (4, 10), (60, 0)])
def test_folds_that_do_not_fit_are_refused(folds, purge):
    with pytest.raises(InvalidValue, match="folds"):
        walk_folds(closes(50), folds, purge)


def trade(entered, exited, net=10.0, side=Side.BUY):
    return Trade("x:BTC", side, 1.0, entered * STEP, 100.0, exited * STEP, 100.0 + net, net, 0.0, 0.0, "test")


def result(equity, trades=()):
    equity = np.asarray(equity, dtype=np.float64)
    curve = EquityCurve(closes(len(equity)), equity, np.zeros(len(equity)))
    source = {"x:BTC": DataSource("made", "0")}
    return BacktestResult(
        "made", {}, "", "test", FillRule.NEXT_OPEN, source, {"x:BTC": FREE}, 1000.0, tuple(trades), curve
    )


def test_a_part_has_its_own_equity_and_only_the_trades_within():
    whole = result(np.linspace(1010, 1300, 30), [trade(1, 4), trade(8, 12), trade(12, 18), trade(19, 25)])
    part = part_of(whole, Window(10 * STEP, 20 * STEP))
    assert part.initial == whole.curve.equity[9]
    assert list(part.curve.times) == [n * STEP for n in range(11, 21)]
    assert [one.entered_ms // STEP for one in part.trades] == [12]
    with pytest.raises(InvalidValue, match="2 or more bars"):
        part_of(whole, Window(30 * STEP, 40 * STEP))


@given(st.lists(st.tuples(st.integers(1, 95), st.integers(0, 30)), max_size=12), st.integers(1, 4), st.integers(0, 9))
def test_what_happens_in_a_test_and_its_purge_changes_no_figure_of_the_training(spans, folds, purge):
    """Purge correctness: the future may be anything, the training does not hear of it."""
    rng = np.random.default_rng(len(spans))
    trades = [trade(entered, min(entered + held, 100)) for entered, held in spans]
    equity = 1000 + np.cumsum(rng.normal(0, 1, 100))
    for fold in walk_folds(closes(100), folds, purge):
        known = fold.train.end_ms // STEP
        changed = equity.copy()
        changed[known:] += rng.normal(0, 50, 100 - known)
        others = [one for one in trades if one.exited_ms <= fold.train.end_ms]
        mine = figures_of(part_of(result(equity, trades), fold.train))
        assert mine == figures_of(part_of(result(changed, others), fold.train))


def test_figures_are_those_of_the_metrics_and_undefined_ones_are_no_score():
    days = 24 * 40
    whole = result(1000 + np.cumsum(np.random.default_rng(1).normal(0.1, 3, days)), [trade(1, 5), trade(9, 20, -4.0)])
    figures, metrics = figures_of(whole), metrics_of(whole)
    assert set(figures) == set(OBJECTIVES)
    assert (figures["sharpe"], figures["net"], figures["drawdown"]) == (
        metrics.sharpe, metrics.net, -metrics.max_drawdown,
    )  # fmt: skip
    years = (days - 1) * STEP / (365 * DAY_MS)
    assert figures["turnover"] == pytest.approx((210 + 196) / whole.curve.equity.mean() / years)
    assert scores_of(figures, ("net", "drawdown")) == (6.0, metrics.max_drawdown)
    assert scores_of({**figures, "sharpe": None}, ("net", "sharpe")) is None
    for name in OBJECTIVES:
        assert oriented(name, 2.0) == (-2.0 if name in LESS_IS_BETTER else 2.0)


@pytest.mark.parametrize("names", [(), ("sharpe", "sharpe"), ("beauty",)])
def test_objectives_are_known_and_named_once(names):
    with pytest.raises(InvalidValue, match="objective"):
        require_objectives(names)
