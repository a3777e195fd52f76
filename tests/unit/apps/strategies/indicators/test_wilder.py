import numpy as np
import pytest
import talib

from apps.strategies.indicators.wilder import average_true_range_within, relative_strength_within
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.library.scenery import cut, random_bars

BARS = random_bars(3, 300)


@pytest.mark.parametrize(("length", "window"), [(14, 60), (5, 20), (2, 3), (14, 15), (14, 225)])
def test_one_pass_gives_what_a_reader_of_each_window_would_compute(length, window):
    ranges = average_true_range_within(BARS.high, BARS.low, BARS.close, length, window)
    strength = relative_strength_within(BARS.close, length, window)
    for row in range(length, len(BARS.close), 7):
        seen = cut(BARS, row + 1, max(0, row + 1 - window))
        assert ranges[row] == pytest.approx(talib.ATR(seen.high, seen.low, seen.close, length)[-1], rel=1e-12)
        assert strength[row] == pytest.approx(talib.RSI(seen.close, length)[-1], abs=1e-9)
    assert np.isnan(ranges[:length]).all()
    assert np.isnan(strength[:length]).all()


def test_what_does_not_move_has_no_range_and_no_strength():
    still = np.full(60, 5.0)
    assert (average_true_range_within(still, still, still, 5, 20)[5:] == 0).all()
    assert (relative_strength_within(still, 5, 20)[5:] == talib.RSI(still, 5)[5:]).all()


def test_too_few_bars_tell_nothing_and_too_small_a_window_is_refused():
    few = np.arange(1.0, 6.0)
    assert np.isnan(average_true_range_within(few, few, few, 5, 9)).all()
    assert np.isnan(relative_strength_within(few, 5, 9)).all()
    with pytest.raises(InvalidValue, match=r"window is 5; allowed: more than length \(5\)"):
        average_true_range_within(few, few, few, 5, 5)
