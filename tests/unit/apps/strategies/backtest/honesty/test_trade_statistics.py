"""Checks that look at the trades of one run: their order, their entries, their Sharpe ratio."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats

from apps.strategies.backtest.honesty.case import Trials
from apps.strategies.backtest.honesty.chance_entries import observed, random_sums
from apps.strategies.backtest.honesty.deflated_sharpe import deflated_sharpe
from apps.strategies.backtest.honesty.random_entries import random_entries
from apps.strategies.backtest.honesty.trade_order import trade_order
from tests.unit.apps.strategies.backtest.honesty.toys import HOUR, Momentum, Toy, case_of, run, walk

TREND = walk(memory=0.6)
HOUR_MS = 3_600_000


class Coin(Toy):
    """Holds at random."""

    def positions(self, bars, params):
        return np.repeat(np.random.default_rng(11).integers(0, 2, len(bars) // 5 + 1), 5)[: len(bars)]


class Gambler(Coin):
    """Holds ten times its money at random."""

    def positions(self, bars, params):
        return 10 * super().positions(bars, params)


def few_trades(idea, setting):
    done = run(idea, setting)
    return replace(done, trades=done.trades[:19])


class TestTradeOrder:
    def test_small_trades_with_an_edge_pass(self):
        case, runs = case_of(Momentum(), TREND, parameters={"length": 3})
        found = trade_order(case)
        assert found.passed, found.words
        assert found.backtests == 0
        assert len(runs) == 1
        figures = found.figures
        assert figures["return_5"] < figures["return_50"] < figures["return_95"]

    def test_a_gambler_fails_however_the_one_history_went(self):
        case, _ = case_of(Gambler(), walk(deviation=0.005))
        found = trade_order(case)
        assert found.passed is False
        assert found.figures["beyond_strategy_limit"] >= found.figures["beyond_portfolio_limit"] > 0.5

    def test_equal_seeds_give_equal_answers_and_others_others(self):
        case, _ = case_of(Momentum(), TREND, parameters={"length": 3})
        assert trade_order(case) == trade_order(case)
        assert trade_order(replace(case, seed=2)).figures != trade_order(case).figures


class TestRandomEntries:
    def test_entries_that_know_something_pass(self):
        case, runs = case_of(Momentum(), TREND, parameters={"length": 3})
        found = random_entries(case)
        assert found.passed, found.words
        assert found.figures["p_value"] < 0.001
        assert len(runs) == 1

    def test_a_coin_fails_even_in_a_market_that_only_rose(self):
        case, _ = case_of(Coin(), walk(drift=0.003))
        assert case.result.final > case.result.initial
        found = random_entries(case)
        assert found.passed is False
        assert found.figures["random_mean_bps"] > 0

    def test_coins_are_as_good_as_chance_so_their_p_values_are_spread_evenly(self):
        values = []
        for seed in range(40):
            case, _ = case_of(Coin(), walk(seed=seed, count=400))
            values.append(random_entries(case).figures["p_value"])
        assert stats.kstest(values, "uniform").pvalue > 0.01

    def test_random_trades_cost_what_the_trades_did_and_make_what_the_market_gives_on_average(self):
        case, _ = case_of(Momentum(), TREND)
        (market,) = case.setting.markets
        seen = observed(case.result.trades, HOUR_MS)
        sums = random_sums(market, case.setting, seen, 20_000, np.random.default_rng(1))
        opened, half = market.recorded.bars.open, market.costs.spread_bps / 2 * 1e-4
        expected = sum(
            np.mean(opened[held:-1] * (1 - half) / (opened[: -held - 1] * (1 + half)) - 1) - cost
            for held, cost in zip(seen.held.tolist(), seen.costs, strict=True)
        )
        assert sums.mean() == pytest.approx(expected, abs=4 * sums.std() / np.sqrt(len(sums)))

    def test_columns_of_trades_add_up_to_what_the_run_made(self):
        case, _ = case_of(Momentum(), TREND)
        seen = observed(case.result.trades, HOUR_MS)
        entered = np.array([trade.quantity * trade.entry_price for trade in case.result.trades])
        assert (seen.returns * entered).sum() == pytest.approx(case.result.final - case.result.initial)
        assert (seen.held >= 1).all()
        assert set(seen.sides) == {1.0}

    def test_a_trade_as_long_as_the_past_leaves_nothing_to_compare_with(self):
        case, _ = case_of(Momentum(), TREND)
        (market,) = case.setting.markets
        seen = replace(observed(case.result.trades, HOUR_MS), held=np.full(len(case.result.trades), 600))
        assert random_sums(market, case.setting, seen, 10, np.random.default_rng(1)) is None


@pytest.mark.parametrize("check", [trade_order, random_entries, deflated_sharpe])
def test_the_order_in_which_a_result_lists_its_trades_does_not_matter(check):
    def backwards(idea, setting):
        done = run(idea, setting)
        return replace(done, trades=done.trades[::-1])

    case, _ = case_of(Momentum(), TREND, parameters={"length": 3})
    other, _ = case_of(Momentum(), TREND, parameters={"length": 3}, engine=backwards)
    assert check(case) == check(other)


@pytest.mark.parametrize("check", [trade_order, random_entries])
def test_with_fewer_than_twenty_trades_it_cannot_be_judged(check):
    case, _ = case_of(Momentum(), TREND, engine=few_trades, parameters={"length": 3})
    found = check(case)
    assert found.passed is None
    assert found.words == "19 trades, 20 are needed"


class TestDeflatedSharpe:
    def test_a_strong_edge_passes_even_as_the_best_of_many(self):
        case, _ = case_of(Momentum(), walk(2_400, memory=0.6), parameters={"length": 2}, trials=Trials(100))
        found = deflated_sharpe(case)
        assert found.passed, found.words
        assert found.figures["returns"] == 99
        assert found.figures["shortest_record"] < 99

    def test_the_same_strategy_is_believed_less_the_more_was_tried(self):
        believed = [
            deflated_sharpe(case_of(Coin(), walk(2_400, drift=0.0004, seed=3), trials=Trials(count))[0]).figures
            for count in (1, 10, 1_000)
        ]
        shares = [figures["deflated"] for figures in believed]
        assert shares == sorted(shares, reverse=True)
        assert believed[0]["deflated"] == believed[0]["probabilistic"]

    def test_trials_that_differed_a_lot_leave_more_to_luck(self):
        make = partial(case_of, Momentum(), walk(2_400, memory=0.3))
        close, wide = (deflated_sharpe(make(trials=Trials(50, variance))[0]) for variance in (1e-4, 1.0))
        assert close.figures["luck"] < wide.figures["luck"]
        assert wide.passed is False

    @pytest.mark.parametrize(
        ("close", "why"),
        [(walk(24 * 15), "14 daily returns, 20 are needed"), (np.full(24 * 40, 100.0), "nothing was traded")],
    )
    def test_without_days_or_trades_it_cannot_be_judged(self, close, why):
        case, _ = case_of(Momentum(), close)
        found = deflated_sharpe(case)
        assert found.passed is None
        assert why in found.words

    def test_after_losing_everything_there_is_no_return(self):
        case, _ = case_of(Gambler(), walk(deviation=0.05, seed=1))
        assert "equity fell to 0" in deflated_sharpe(case).words


def test_hours_are_hours():
    assert HOUR.total_seconds() * 1000 == HOUR_MS
