from datetime import timedelta

import numpy as np
import pytest
import talib

from apps.strategies.indicators.ranges import band_width_rank, range_in_true_ranges, range_percent
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.library.recorded_bars import recorded
from tests.unit.apps.strategies.library.scenery import random_bars

BARS = random_bars(8, 200)


def test_the_range_holds_the_bar_itself_and_ends_with_it() -> None:
    percent = range_percent(BARS.high, BARS.low, BARS.close, 10)
    expected = 100 * (BARS.high[41:51].max() - BARS.low[41:51].min()) / BARS.close[50]
    assert percent[50] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(percent[:9]).all()


def test_measures_the_range_in_average_true_ranges() -> None:
    ratio = range_in_true_ranges(BARS.high, BARS.low, BARS.close, 10, 14)
    average = talib.ATR(BARS.high, BARS.low, BARS.close, 14)[50]
    assert ratio[50] == pytest.approx((BARS.high[41:51].max() - BARS.low[41:51].min()) / average)
    still = np.full(60, 5.0)
    assert np.isnan(range_in_true_ranges(still, still, still, 10, 14)).all()


def test_ranks_the_width_of_the_bands_among_its_own_past() -> None:
    rank = band_width_rank(BARS.close, 20, 50)
    upper, middle, lower = talib.BBANDS(BARS.close, 20)
    width = (upper - lower) / middle
    assert rank[150] == pytest.approx(100 * np.mean(width[101:151] < width[150]))
    assert np.isnan(rank[:68]).all()
    assert np.isfinite(rank[68:]).all()
    with pytest.raises(InvalidValue, match="past is 1; allowed: 2 or more"):
        band_width_rank(BARS.close, 20, 1)


def test_no_measure_knows_the_bars_after() -> None:
    for end in (70, 133, 199):
        high, low, close = BARS.high[:end], BARS.low[:end], BARS.close[:end]
        for short, whole in (
            (range_percent(high, low, close, 10), range_percent(BARS.high, BARS.low, BARS.close, 10)),
            (
                range_in_true_ranges(high, low, close, 10, 14),
                range_in_true_ranges(BARS.high, BARS.low, BARS.close, 10, 14),
            ),
            (band_width_rank(close, 20, 40), band_width_rank(BARS.close, 20, 40)),
        ):
            np.testing.assert_array_equal(short, whole[:end])


def test_the_range_filters_recorded_bars_where_the_true_range_filters_nothing() -> None:
    bars = recorded("bybit-linear_ETHUSDT_5m_202504-202507", timedelta(minutes=5))
    percent = range_percent(bars.high, bars.low, bars.close, 10)
    assert np.mean(percent[9:] <= 0.7) == pytest.approx(0.400, abs=5e-4)
    average = talib.ATR(bars.high, bars.low, bars.close, 14)
    assert np.mean(np.nan_to_num(average / bars.close, nan=1.0) < 0.007) == pytest.approx(0.972, abs=5e-4)
