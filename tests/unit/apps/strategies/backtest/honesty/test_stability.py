"""Neighbours of parameters, and whether they do as well."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.strategies.backtest.honesty.candidates import AS_GIVEN, candidates_of
from apps.strategies.backtest.honesty.neighbours import neighbours
from apps.strategies.backtest.honesty.stability import stability
from apps.strategies.library.mean_reversion import MeanReversion
from apps.strategies.library.turtle_trend import TurtleTrend
from moondev.domain.market_data import Needs
from tests.unit.apps.strategies.backtest.honesty.toys import Momentum, Toy, ToyParameters, case_of, walk

TREND = walk(memory=0.6)


class Needle(Toy):
    """Profitable at one length only: it was fitted to the very noise, elsewhere it does the opposite."""

    def positions(self, bars, params):
        right = np.append(np.diff(bars.close) > 0, False)
        return right if params.length == 20 and params.scale == 1 else ~right


def test_neighbours_differ_in_one_number_within_bounds():
    found = neighbours(ToyParameters(length=20, scale=9.0))
    assert [(one.field, round(one.value, 6)) for one in found] == [
        ("length", 16), ("length", 18), ("length", 22), ("length", 24),
        ("scale", 7.2), ("scale", 8.1), ("scale", 9.9),
    ]  # fmt: skip
    assert {one.parameters.off for one in found} == {0.0}
    assert str(found[0]) == "length=16"


def test_whole_numbers_move_by_one_at_least_and_never_out_of_bounds():
    assert [one.value for one in neighbours(ToyParameters(length=2, scale=10)) if one.field == "length"] == [3]


@given(some.integers(2, 500), some.floats(0.01, 10))
def test_every_neighbour_is_accepted_by_the_model_and_is_another(length, scale):
    base = ToyParameters(length=length, scale=scale)
    for one in neighbours(base):
        assert one.parameters != base
        assert ToyParameters.model_validate(one.parameters.model_dump()) == one.parameters


@pytest.mark.parametrize("strategy", [TurtleTrend, MeanReversion])
def test_rules_of_a_model_hold_for_neighbours(strategy):
    base = strategy.presets["canonical"]
    found = neighbours(base)
    assert len(found) > 10
    for one in found:
        assert type(one.parameters).model_validate(one.parameters.model_dump()) == one.parameters


def test_a_plateau_passes_with_one_backtest_for_each_neighbour():
    case, runs = case_of(Momentum(), TREND, parameters={"length": 6})
    found = stability(case)
    assert found.passed, found.words
    assert found.backtests == len(runs) - 1 == 6
    # The scale is no part of this strategy: moving it shows the same run again, which is no evidence.
    assert found.figures["neighbours"] == 2
    assert found.figures["worst"] <= found.figures["median"] <= found.figures["best"]
    assert found.findings == ()


def test_a_needle_fails_and_the_losing_neighbours_are_named():
    case, _ = case_of(Needle(), TREND)
    found = stability(case)
    assert found.figures["net"] > 0
    assert found.passed is False
    assert found.figures["share_profitable"] == 0
    assert found.findings[0].startswith("length=16: -")


def test_a_budget_bounds_the_backtests_and_equal_seeds_draw_equal_neighbours():
    case, runs = case_of(Momentum(), TREND, parameters={"length": 40}, budget=5)
    assert stability(case).backtests == 5
    again, repeated = case_of(Momentum(), TREND, parameters={"length": 40}, budget=5)
    assert stability(again) == stability(case)
    assert len(runs) == 11
    assert len(repeated) == 6


@pytest.mark.parametrize(("close", "budget", "why"), [(np.full(90, 1.0), 40, "no trades"), (TREND, 1, "1 neighbours")])
def test_without_trades_or_neighbours_it_cannot_be_judged(close, budget, why):
    case, _ = case_of(Momentum(), close, budget=budget)
    found = stability(case)
    assert found.passed is None
    assert why in found.words


def test_neighbours_that_change_nothing_are_no_evidence():
    class Deaf(Toy):
        def positions(self, bars, params):
            return Momentum().positions(bars, ToyParameters(length=5))

    case, _ = case_of(Deaf(), TREND)
    found = stability(case)
    assert found.passed is None
    assert found.words == "only 0 of 8 neighbours changed anything, 2 are needed"


class Slow(Momentum):
    """Asks for bars of `length` minutes, of which hours can be made only sometimes."""

    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments), {timedelta(minutes=params.length): 20})


def test_neighbours_that_want_bars_that_were_not_recorded_are_left_out():
    case, runs = case_of(Slow(), TREND, parameters={"length": 120})
    assert not case.can_be_shown(ToyParameters(length=96))
    assert case.can_be_shown(ToyParameters(length=180))
    found = stability(case)
    # Of both numbers only the scale is left, whose bars are those that are there.
    assert len(runs) - 1 == 4
    assert not found.passed
    names = [name for name, _ in candidates_of(case, 40)]
    assert names[0] == AS_GIVEN
    assert all(name.startswith("scale") for name in names[1:])
