"""Sharpe ratios are held to the worked example of the paper, to the standard library and to simulation."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.strategies.backtest.honesty.sharpe import (
    Moments,
    deflated,
    expected_maximum,
    moments,
    probabilistic,
    shortest_record,
    variance_by_chance,
)
from moondev.domain.errors import InvalidValue

DAYS = 250
# Bailey and López de Prado 2014: a yearly ratio of 2.5 over five years of daily returns with skew -3 and kurtosis 10,
# the best of 100 trials whose yearly ratios vary by 1/2.
PAPER = Moments(1250, 2.5 / math.sqrt(DAYS), -3.0, 10.0)
VARIANCE = 0.5 / DAYS

ratios = some.floats(-0.5, 0.5)
shapes = some.builds(Moments, some.integers(30, 5_000), ratios, some.floats(-2, 2), some.floats(6, 20))


def test_the_worked_example_of_the_paper_gives_its_printed_figures():
    assert expected_maximum(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    assert deflated(PAPER, 100, VARIANCE) == pytest.approx(0.9004, abs=5e-5)
    # With fewer trials the same strategy would have been believed at 95 %.
    assert deflated(PAPER, 46, VARIANCE) == pytest.approx(0.9505, abs=5e-5)


def test_the_formulas_are_those_of_the_paper_written_out_with_the_standard_library():
    normal = NormalDist()
    luck = math.sqrt(VARIANCE) * (
        (1 - np.euler_gamma) * normal.inv_cdf(1 - 1 / 100) + np.euler_gamma * normal.inv_cdf(1 - 1 / (100 * math.e))
    )
    assert expected_maximum(100, VARIANCE) == pytest.approx(luck, rel=1e-12)
    scale = math.sqrt(1 + 3 * PAPER.sharpe + 9 / 4 * PAPER.sharpe**2)
    z = (PAPER.sharpe - luck) * math.sqrt(1249) / scale
    assert deflated(PAPER, 100, VARIANCE) == pytest.approx(normal.cdf(z), rel=1e-12)


def test_the_expected_maximum_is_what_the_best_of_many_worthless_trials_shows():
    chance = np.random.default_rng(3)
    best = chance.normal(0, math.sqrt(VARIANCE), size=(20_000, 100)).max(axis=1)
    assert expected_maximum(100, VARIANCE) == pytest.approx(best.mean(), rel=0.02)


def test_one_trial_was_not_chosen_and_owes_nothing_to_luck():
    assert expected_maximum(1, 1.0) == 0
    assert deflated(PAPER, 1, 1.0) == probabilistic(PAPER, 0.0)
    with pytest.raises(InvalidValue):
        expected_maximum(0, 1.0)


def test_variance_by_chance_is_what_worthless_strategies_show():
    chance = np.random.default_rng(5)
    returns = chance.normal(0, 0.01, size=(20_000, 60))
    shown = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    assert variance_by_chance(60) == pytest.approx(float(shown.var()), rel=0.05)


@given(shapes, some.integers(1, 500), some.integers(1, 500))
def test_more_trials_never_make_a_ratio_more_believable(found, one, other):
    few, many = sorted((one, other))
    assert deflated(found, many, VARIANCE) <= deflated(found, few, VARIANCE) + 1e-12


@given(shapes, ratios)
def test_the_shortest_record_is_the_one_that_just_suffices(found, benchmark):
    length = shortest_record(found, benchmark)
    if found.sharpe - benchmark < 1e-9:
        assert length is None
    else:
        just = Moments(length, found.sharpe, found.skew, found.kurtosis)
        assert probabilistic(just, benchmark) == pytest.approx(0.95, abs=1e-6)


def test_moments_are_those_of_the_column_and_none_where_nothing_varies():
    returns = np.array([0.01, -0.02, 0.03, 0.0, 0.005])
    centred = returns - returns.mean()
    found = moments(returns)
    assert found.sharpe == pytest.approx(returns.mean() / math.sqrt((centred**2).sum() / 4))
    assert found.skew == pytest.approx((centred**3).mean() / (centred**2).mean() ** 1.5)
    assert found.kurtosis == pytest.approx((centred**4).mean() / (centred**2).mean() ** 2)
    assert moments(np.full(50, 0.01)) is None
    assert moments(np.array([0.1, 0.2])) is None
