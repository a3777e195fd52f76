"""Returns of bars side by side: the same moment in one row, and nothing made up where a bar is missing."""

from datetime import timedelta

import numpy as np
import pytest

from apps.risk.correlation.measure import BAR, aligned_returns
from moondev.domain.market_data import BarSeries

STEP = BAR // timedelta(milliseconds=1)


def bars(*rows):
    stamps = np.array([row for row, _ in rows], dtype=np.int64) * STEP
    close = np.array([price for _, price in rows], dtype=float)
    return BarSeries(BAR, stamps, close, close, close, close, close)


def test_rows_are_moments_and_a_gap_is_a_gap():
    one = bars((1, 100), (2, 110), (3, 121), (4, 121))
    other = bars((2, 50), (4, 60), (5, 66))
    matrix = aligned_returns([one, other], 0)
    tenth = np.log(1.1)
    expected = [[np.nan, np.nan], [tenth, np.nan], [tenth, np.nan], [0, np.nan], [np.nan, tenth]]
    np.testing.assert_allclose(matrix, expected, equal_nan=True)


def test_what_is_older_than_the_window_is_left_out():
    matrix = aligned_returns([bars((1, 100), (2, 110), (3, 121))], 3 * STEP)
    assert matrix == pytest.approx(np.array([[np.log(1.1)]]))
    assert aligned_returns([], 0).size == 0
