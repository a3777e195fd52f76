"""Longer bars are made of whole groups, on the grid of the epoch, and exist only once they are closed."""

from datetime import timedelta

import numpy as np
import pytest

from apps.strategies.backtest.history import History, longer
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

MINUTE, FIVE, HOUR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)
EPOCH_ALIGNED = 1_700_000_100_000  # a multiple of five minutes


def bars(count: int, start: int = EPOCH_ALIGNED, missing: tuple[int, ...] = ()) -> BarSeries:
    keep = np.array([row for row in range(count) if row not in missing])
    close = 100.0 + np.arange(count)[keep]
    return BarSeries(MINUTE, start + keep * 60_000, close - 0.5, close + 1, close - 1, close, np.ones(len(keep)))


def test_a_longer_bar_takes_its_first_open_its_extremes_its_last_close_and_all_volume():
    made = longer(bars(10), FIVE)
    assert made.opened_ms.tolist() == [EPOCH_ALIGNED, EPOCH_ALIGNED + 300_000]
    assert made.open.tolist() == [99.5, 104.5]
    assert made.high.tolist() == [105.0, 110.0]
    assert made.low.tolist() == [99.0, 104.0]
    assert made.close.tolist() == [104.0, 109.0]
    assert made.volume.tolist() == [5.0, 5.0]


def test_a_group_with_a_bar_missing_or_begun_or_not_over_is_left_out():
    made = longer(bars(14, EPOCH_ALIGNED - 120_000, missing=(9,)), FIVE)
    # Two bars before the grid, a whole group, one with a hole, two bars after.
    assert made.opened_ms.tolist() == [EPOCH_ALIGNED]
    assert len(longer(bars(4), FIVE)) == 0


def test_a_longer_bar_is_closed_with_the_last_of_its_group_and_not_before():
    history = History(bars(12), [FIVE])
    assert history.closed(MINUTE).tolist() == list(range(1, 13))
    assert history.closed(FIVE).tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2]
    assert len(history.window(FIVE, 4, 10)) == 0
    assert history.window(FIVE, 5, 10).close.tolist() == [104.0]
    assert history.window(FIVE, 12, 1).close.tolist() == [109.0]
    assert history.window(MINUTE, 0, 5).close.tolist() == []
    assert history.window(MINUTE, 7, 3).close.tolist() == [104.0, 105.0, 106.0]


def test_windows_are_views_that_nobody_can_write_to():
    history = History(bars(12), [FIVE])
    for interval in (MINUTE, FIVE):
        window = history.window(interval, 12, 2)
        assert np.shares_memory(window.close, history.bars(interval).close)
        for column in (window.open, window.high, window.low, window.close, window.volume, window.opened_ms):
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 1


def test_an_interval_that_is_no_multiple_is_refused():
    for interval in (timedelta(seconds=30), timedelta(seconds=90)):
        with pytest.raises(InvalidValue, match="a multiple of it"):
            History(bars(5), [interval])
