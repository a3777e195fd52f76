"""Kelly's fraction: known bets, and how little is believed of few trades."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.sizing.kelly import CAUTION, NO_TRADES, TradeRecord, kelly_fraction, record_of

RETURNS = st.lists(st.floats(-1, 5), max_size=60)


def test_an_even_bet_won_six_times_in_ten_is_a_fifth_less_the_doubt_in_it():
    # Kelly 1956: 2p - 1 = 0.2. A standard error of the mean of n even bets is sqrt(0.96 / (n - 1)).
    for count in (100, 10_000, 1_000_000):
        assert kelly_fraction(TradeRecord(count, 0.2, 1.0), 10) == pytest.approx(
            0.2 - CAUTION * math.sqrt(0.96 / (count - 1))
        )


def test_a_record_is_count_mean_and_mean_of_squares():
    record = record_of([0.02, -0.01, 0.03, float("nan"), float("inf")])
    assert (record.count, record.mean, record.mean_square) == (3, pytest.approx(0.04 / 3), pytest.approx(0.0014 / 3))


def test_thorps_fraction_of_returns_that_are_sure():
    # Every trade makes 1 % but for a little: there is no doubt to take off, and m / s2 is near 1 / 0.01.
    assert kelly_fraction(record_of([0.01] * 50), 30) == pytest.approx(100.0)


@pytest.mark.parametrize("returns", [[], [0.01] * 29, [0.0] * 100])
def test_says_nothing_of_too_few_trades_and_of_trades_without_a_return(returns):
    assert kelly_fraction(record_of(returns), 30) is None
    assert kelly_fraction(NO_TRADES, 0) is None


def test_a_strategy_that_loses_gets_nothing_and_so_does_one_whose_gain_may_be_luck():
    assert kelly_fraction(record_of([-0.01, 0.005] * 30), 30) == 0
    assert kelly_fraction(record_of([0.5] + [-0.01] * 29), 30) == 0


@given(returns=RETURNS)
def test_never_below_zero_and_never_more_than_without_caution(returns):
    record = record_of(returns)
    fraction = kelly_fraction(record, 2)
    if fraction is not None:
        assert 0 <= fraction <= max(record.mean, 0) / record.mean_square + 1e-12


@given(mean=st.floats(0.001, 0.5), count=st.integers(10, 10**6), more=st.integers(1, 10**6))
def test_more_trades_of_the_same_kind_never_earn_less_trust(mean, count, more):
    few, many = (TradeRecord(number, mean, mean**2 + 0.01) for number in (count, count + more))
    assert kelly_fraction(few, 10) <= kelly_fraction(many, 10) * (1 + 1e-9)
