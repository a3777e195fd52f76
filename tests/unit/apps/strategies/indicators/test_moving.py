import numpy as np
import pytest
import talib

from apps.strategies.indicators.moving import moving_deviation, moving_mean
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.library.scenery import random_bars

CLOSE = np.round(random_bars(5, 400).close, 2)


@pytest.mark.parametrize("length", [1, 2, 20, 55])
def test_mean_and_deviation_are_the_same_to_the_last_bit_after_any_past(length):
    mean = moving_mean(CLOSE, length)
    deviation = moving_deviation(CLOSE, mean, length)
    for start in (1, 17, 250):
        later = moving_mean(CLOSE[start:], length)
        np.testing.assert_array_equal(later[length - 1 :], mean[start + length - 1 :])
        np.testing.assert_array_equal(
            moving_deviation(CLOSE[start:], later, length)[length - 1 :], deviation[start + length - 1 :]
        )


def test_they_are_those_of_ta_lib():
    mean = moving_mean(CLOSE, 20)
    np.testing.assert_allclose(mean, talib.SMA(CLOSE, 20), rtol=1e-12)
    np.testing.assert_allclose(moving_deviation(CLOSE, mean, 20), talib.STDDEV(CLOSE, 20), rtol=1e-8)


def test_fewer_values_than_asked_for_have_no_mean():
    assert np.isnan(moving_mean(CLOSE[:3], 4)).all()
    with pytest.raises(InvalidValue, match="length is 0; allowed: 1 or more bars"):
        moving_mean(CLOSE, 0)
