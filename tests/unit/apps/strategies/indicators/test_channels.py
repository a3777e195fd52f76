import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.indicators.channels import prior_highest, prior_lowest
from moondev.domain.errors import InvalidValue


@pytest.mark.parametrize("length", [2, 20, 55])
def test_channels_equal_talib_one_bar_later(length: int) -> None:
    values = np.random.default_rng(5).normal(100, 5, 400)
    np.testing.assert_array_equal(prior_highest(values, length)[1:], talib.MAX(values, timeperiod=length)[:-1])
    np.testing.assert_array_equal(prior_lowest(values, length)[1:], talib.MIN(values, timeperiod=length)[:-1])


def test_there_is_no_channel_before_enough_bars() -> None:
    assert np.isnan(prior_highest(np.arange(4.0), 4)).all()
    assert prior_highest(np.arange(5.0), 4).tolist()[4] == 3.0
    assert len(prior_lowest(np.empty(0), 3)) == 0


@pytest.mark.parametrize("channel", [prior_highest, prior_lowest])
def test_refuses_a_length_below_one(channel: object) -> None:
    with pytest.raises(InvalidValue, match="length is 0"):
        channel(np.arange(4.0), 0)  # type: ignore[operator]


@given(
    values=st.lists(st.floats(1, 1e6), min_size=10, max_size=40),
    last=st.floats(1, 1e6),
)
def test_the_bar_itself_does_not_move_its_channel(values: list[float], last: float) -> None:
    before = prior_highest(np.array([*values, values[-1]]), 5)
    after = prior_highest(np.array([*values, last]), 5)
    np.testing.assert_array_equal(before, after)
