import numpy as np
import pytest
import talib

from apps.strategies.indicators.z_score import mean_and_deviation, z_scores

WALK = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.01, 300)))


def test_two_deviations_are_the_bollinger_bands() -> None:
    upper, middle, lower = talib.BBANDS(WALK, timeperiod=20, nbdevup=2, nbdevdn=2)
    mean, deviation = mean_and_deviation(WALK, 20)
    np.testing.assert_allclose(mean + 2 * deviation, upper, atol=3.5e-9)
    np.testing.assert_allclose(mean - 2 * deviation, lower, atol=3.5e-9)
    np.testing.assert_array_equal(np.isnan(mean), np.isnan(middle))


def test_the_deviation_is_the_populations_and_not_the_samples() -> None:
    _, deviation = mean_and_deviation(WALK, 20)
    assert deviation[50] == pytest.approx(WALK[31:51].std(ddof=0), rel=1e-9)
    assert WALK[31:51].std(ddof=1) / deviation[50] == pytest.approx(1.02598, abs=1e-5)


def test_what_does_not_vary_has_no_score() -> None:
    assert np.isnan(z_scores(np.full(60, 61_234.1), 20)).all()


def test_a_score_knows_nothing_of_the_bars_after_it() -> None:
    whole = z_scores(WALK, 20)
    for end in (20, 57, 299):
        np.testing.assert_allclose(z_scores(WALK[:end], 20), whole[:end], rtol=1e-9)
    np.testing.assert_allclose(z_scores(WALK * 16, 20), whole, rtol=1e-9)
