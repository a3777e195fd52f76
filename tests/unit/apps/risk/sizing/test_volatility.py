"""Realised volatility and the average true range against numbers that others have printed."""

import math
from datetime import timedelta

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.sizing.volatility import average_true_range, realised_volatility, true_ranges, wilder_average
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

# Heating oil, March 2003, as printed in the Original Turtle Trading Rules (2003): high, low, close; N began at 0.0134.
OIL = np.array(
    [
        (0.7220, 0.7124, 0.7124), (0.7170, 0.7073, 0.7073), (0.7099, 0.6923, 0.6923), (0.6930, 0.6800, 0.6838),
        (0.6960, 0.6736, 0.6736),
    ]
)  # fmt: skip
PRINTED_N = (0.0132, 0.0134, 0.0134, 0.0139)


def bars_of(high, low, close):
    stamps = np.arange(len(close), dtype=np.int64) * 3_600_000
    return BarSeries(timedelta(hours=1), stamps, close, high, low, close, np.ones(len(close)))


def test_the_turtles_n_of_the_book():
    ranges = true_ranges(*OIL.T)
    assert ranges == pytest.approx([0.0097, 0.0176, 0.0130, 0.0224])
    for count, printed in enumerate(PRINTED_N, start=1):
        assert wilder_average(ranges[:count], 20, seed=0.0134) == pytest.approx(printed, abs=6e-5)
    # A share of 1 % of 1,000,000 over N x 42,000 gallons is the sixteen contracts of the book.
    assert int(0.01 * 1_000_000 / (0.0141 * 42_000)) == 16


def test_the_average_true_range_is_that_of_another_library():
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 300)))
    high, low = close * (1 + rng.random(300) * 0.01), close * (1 - rng.random(300) * 0.01)
    theirs = talib.ATR(high, low, close, timeperiod=14)[-1] / close[-1]
    assert average_true_range(bars_of(high, low, close), 14) == pytest.approx(theirs, rel=1e-9)


def test_volatility_of_a_year_from_returns_of_an_hour():
    # One per cent up and down every hour, 8,760 hours in a year.
    closes = np.exp(np.array([0.0, 0.01, 0.0, 0.01, 0.0]))
    assert realised_volatility(closes, 3_600) == pytest.approx(0.01 * math.sqrt(8_760))
    assert realised_volatility(np.full(10, 5.0), 3_600) == 0


@given(scale=st.floats(1e-6, 1e6), length=st.floats(60, 86_400))
def test_volatility_does_not_depend_on_the_unit_and_scales_with_the_root_of_time(scale, length):
    closes = np.array([100.0, 103.0, 99.0, 104.0])
    assert realised_volatility(closes * scale, length) == pytest.approx(realised_volatility(closes, length), rel=1e-6)
    assert realised_volatility(closes, length * 4) == pytest.approx(realised_volatility(closes, length) / 2)


@pytest.mark.parametrize(
    "closes", [np.array([1.0]), np.array([1.0, 0.0]), np.array([1.0, -1.0]), np.array([1.0, np.nan])]
)
def test_refuses_too_few_closes_and_prices_that_are_none(closes):
    with pytest.raises(InvalidValue, match="closes"):
        realised_volatility(closes, 60)
    with pytest.raises(InvalidValue, match="values"):
        wilder_average(np.array([1.0]), 2)
