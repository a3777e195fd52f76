import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.indicators.true_range import average_true_range, true_range
from apps.strategies.library.turtle.n import n_series, next_n
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.library.scenery import cut, random_bars, scaled

# Heating oil, March 2003 contract, as printed in the book: high, low, close, true range, N.
HEATING_OIL = np.array(
    [
        [0.7220, 0.7124, 0.7124, 0.0096, 0.0134],
        [0.7170, 0.7073, 0.7073, 0.0097, 0.0132],
        [0.7099, 0.6923, 0.6923, 0.0176, 0.0134],
        [0.6930, 0.6800, 0.6838, 0.0130, 0.0134],
        [0.6960, 0.6736, 0.6736, 0.0224, 0.0139],
        [0.6820, 0.6706, 0.6706, 0.0114, 0.0137],
        [0.6820, 0.6710, 0.6710, 0.0114, 0.0136],
        [0.6795, 0.6720, 0.6744, 0.0085, 0.0134],
        [0.6760, 0.6550, 0.6616, 0.0210, 0.0138],
        [0.6650, 0.6585, 0.6627, 0.0065, 0.0134],
        [0.6701, 0.6620, 0.6701, 0.0081, 0.0131],
        [0.6965, 0.6750, 0.6965, 0.0264, 0.0138],
        [0.7065, 0.6944, 0.6944, 0.0121, 0.0137],
        [0.7115, 0.6944, 0.7087, 0.0171, 0.0139],
        [0.7168, 0.7100, 0.7124, 0.0081, 0.0136],
        [0.7265, 0.7120, 0.7265, 0.0145, 0.0136],
        [0.7265, 0.7098, 0.7098, 0.0167, 0.0138],
        [0.7184, 0.7110, 0.7184, 0.0086, 0.0135],
        [0.7280, 0.7200, 0.7228, 0.0096, 0.0133],
        [0.7375, 0.7227, 0.7359, 0.0148, 0.0134],
        [0.7447, 0.7310, 0.7389, 0.0137, 0.0134],
        [0.7420, 0.7140, 0.7162, 0.0280, 0.0141],
    ]
)


def test_true_ranges_of_heating_oil_are_those_of_the_book() -> None:
    high, low, close, printed, _ = HEATING_OIL.T
    np.testing.assert_allclose(true_range(high, low, close)[1:], printed[1:], atol=1e-12)


def test_n_of_heating_oil_is_that_of_the_book() -> None:
    high, low, close, _, printed = HEATING_OIL.T
    n = printed[0]
    for value, expected in zip(true_range(high, low, close)[1:], printed[1:], strict=True):
        n = next_n(n, value)
        assert n == pytest.approx(expected, abs=5.4e-5)
    assert n == pytest.approx(0.0141443, abs=5e-8)


@pytest.mark.parametrize("length", [14, 20])
def test_n_equals_the_average_true_range_of_talib(length: int) -> None:
    bars = random_bars(3, 500)
    oracle = talib.ATR(bars.high, bars.low, bars.close, timeperiod=length)
    ours = n_series(bars, length)
    assert np.isnan(ours[:length]).all()
    assert not np.isnan(ours[length])
    np.testing.assert_allclose(ours, oracle, rtol=0, atol=1e-12)


def test_n_is_unknown_without_enough_bars() -> None:
    assert np.isnan(n_series(random_bars(1, 20), 20)).all()
    assert len(n_series(random_bars(1, 20), 20)) == 20


def test_refuses_a_length_below_one() -> None:
    bars = random_bars(1, 5)
    with pytest.raises(InvalidValue, match="length is 0"):
        average_true_range(bars.high, bars.low, bars.close, 0)


@given(seed=st.integers(0, 1_000), end=st.integers(22, 119))
def test_cutting_the_future_leaves_n_unchanged(seed: int, end: int) -> None:
    bars = random_bars(seed, 120)
    np.testing.assert_array_equal(n_series(cut(bars, end)), n_series(bars)[:end])


@given(seed=st.integers(0, 1_000))
def test_n_scales_with_the_price(seed: int) -> None:
    bars = random_bars(seed, 60)
    np.testing.assert_allclose(n_series(scaled(bars, 10)), n_series(bars) * 10, rtol=1e-12)
