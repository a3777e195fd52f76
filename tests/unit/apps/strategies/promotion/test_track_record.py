"""Daily returns ignore moved money; what is too little to tell is None."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.promotion.track_record import (
    DayMark,
    Expectation,
    daily_returns,
    deviations_from,
    expectation,
    tracking_error,
)

FIRST = date(2026, 1, 1)


def marks(*worths, funded=None):
    paid = funded or [100] * len(worths)
    return [DayMark(FIRST + timedelta(days=n), Decimal(str(worth)), Decimal(paid[n])) for n, worth in enumerate(worths)]


def returns(*values):
    return {FIRST + timedelta(days=n): value for n, value in enumerate(values)}


def test_a_return_is_the_days_profit_over_what_it_began_with():
    assert daily_returns(marks(100, 110, 99)) == {FIRST + timedelta(days=1): 0.1, FIRST + timedelta(days=2): -0.1}


def test_money_paid_in_is_no_profit():
    assert daily_returns(marks(100, 210, funded=[100, 200]))[FIRST + timedelta(days=1)] == pytest.approx(0.1)


def test_a_day_that_was_not_marked_leaves_no_return_behind():
    first, _, third = marks(100, 110, 120)
    assert daily_returns([first, third]) == {}
    assert daily_returns(marks(0, 10)) == {}


def test_what_a_few_days_showed_is_no_expectation():
    assert expectation(returns(0.01, 0.02, 0.03, 0.04)) is None
    found = expectation(returns(0.01, -0.02, 0.03, 0.0, 0.005))
    assert found == Expectation(pytest.approx(0.005), pytest.approx(np.std([0.01, -0.02, 0.03, 0.0, 0.005], ddof=1)))


def test_the_tracking_error_looks_at_common_days_only():
    ours, theirs = returns(0.01, 0.02, 0.0, 0.01, -0.01, 0.5), returns(0.01, 0.01, 0.01, 0.0, -0.01)
    expected = np.std(np.array([0.0, 0.01, -0.01, 0.01, 0.0]), ddof=1)
    assert tracking_error(ours, theirs) == pytest.approx(expected)
    assert tracking_error(ours, {}) is None


def test_a_constant_difference_is_no_tracking_error():
    ours = returns(0.01, 0.02, 0.03, -0.01, 0.0)
    assert tracking_error(ours, {day: value - 0.001 for day, value in ours.items()}) == pytest.approx(0.0, abs=1e-12)


def test_deviations_grow_with_the_root_of_time():
    expected = Expectation(mean=0.001, deviation=0.01)
    assert deviations_from(expected, 0.001, 1) == pytest.approx(0)
    assert deviations_from(expected, 0.004 - 0.06, 4) == pytest.approx(-3)
    assert deviations_from(expected, 0.001 - 0.03, 0.01) == pytest.approx(-3), "less than a day counts as one"
    assert deviations_from(Expectation(0.0, 0.0), -1.0, 5) is None


@given(st.lists(st.floats(-0.2, 0.2), min_size=5, max_size=40), st.floats(0.1, 50))
def test_returns_do_not_depend_on_the_amount_of_money(values, scale):
    worth, one, other = 100.0, [], []
    for value in [0.0, *values]:
        worth *= 1 + value
        one.append(worth)
        other.append(worth * scale)
    mine = daily_returns(marks(*one, funded=[0] * len(one)))
    theirs = daily_returns(marks(*other, funded=[0] * len(other)))
    assert list(mine.values()) == pytest.approx(list(theirs.values()), abs=1e-9)
