"""Parameters chosen on one stretch are judged on the next."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.honesty.candidates import candidates_of
from apps.strategies.backtest.honesty.walk_forward import FOLDS, walk_forward
from moondev.domain.clock import from_milliseconds
from tests.unit.apps.strategies.backtest.honesty.toys import HOUR, Momentum, Toy, ToyParameters, case_of, walk

TREND = walk(1_200, memory=0.6)


class Fitted(Toy):
    """Knows by heart what a coin shows on one day in so many, and fits whatever stretch it was chosen on."""

    def positions(self, bars, params):
        return np.random.default_rng(params.length).choice([-1.0, 1.0], len(bars))


def test_an_edge_that_is_there_is_found_again_where_nothing_was_chosen():
    case, runs = case_of(Momentum(), TREND, grid={"length": [3, 6, 12, 24]}, parameters={"length": 6})
    found = walk_forward(case)
    assert found.passed, found.words
    assert found.figures["folds"] == FOLDS
    assert found.figures["candidates"] == 4
    assert found.backtests == len(runs) == FOLDS * 5
    assert len(found.findings) == FOLDS
    assert "length=3" in found.findings[0]


def test_what_was_fitted_to_noise_does_not_come_again():
    case, _ = case_of(Fitted(), walk(1_200), costs=FREE, grid={"length": list(range(2, 40))}, budget=160)
    found = walk_forward(case)
    assert found.figures["in_sample"] > 0
    assert found.passed is False
    assert found.figures["efficiency"] < 0.5


def test_no_bar_of_a_test_was_seen_in_its_training_and_the_test_may_look_back():
    case, runs = case_of(Momentum(), TREND, grid={"length": [6, 9, 12]}, parameters={"length": 12}, budget=16)
    walk_forward(case)
    gap = 13
    for fold in range(FOLDS):
        *trainings, test = runs[fold * 4 : fold * 4 + 4]
        ended = max(one.markets[0].recorded.bars.opened_ms[-1] for one in trainings)
        assert test.trades_from - from_milliseconds(int(ended)) == (gap + 1) * HOUR
        assert len({one.trades_from for one in trainings}) == 1
        # The first training begins with the past: there is nothing before it to look at.
        for one in (*trainings, test) if fold else (test,):
            looked = one.trades_from - from_milliseconds(int(one.markets[0].recorded.bars.opened_ms[0]))
            assert looked in {7 * HOUR, 10 * HOUR, 13 * HOUR}
    tests = runs[3::4]
    assert {later.trades_from - one.trades_from for one, later in pairwise(tests)} == {
        timedelta(hours=(1_200 - gap) // 7)
    }


def test_candidates_are_the_grid_or_the_neighbourhood_with_what_was_given_among_them():
    case, _ = case_of(Momentum(), TREND, grid={"length": [1, 20, 30], "scale": [1.0, 2.0]})
    names = [name for name, _ in candidates_of(case, 40)]
    # 1 breaks a bound; length 20 with scale 1 is what was given.
    assert names == ["as given", "length=20, scale=2.0", "length=30, scale=1.0", "length=30, scale=2.0"]
    beside, _ = case_of(Momentum(), TREND)
    few = candidates_of(beside, 4)
    assert few == candidates_of(beside, 4)
    assert len(few) == 4
    assert few[0] == ("as given", ToyParameters())


@pytest.mark.parametrize(
    ("count", "budget", "parameters", "why"),
    [
        (100, 40, {}, "too little past"),
        (1_200, 8, {}, "1 parameter sets"),
        (1_200, 40, {"length": 500}, "too little past"),
    ],
)
def test_with_too_little_past_or_budget_it_cannot_be_judged(count, budget, parameters, why):
    case, runs = case_of(Momentum(), TREND[:count], budget=budget, parameters=parameters)
    found = walk_forward(case)
    assert found.passed is None
    assert why in found.words
    assert runs == []
