"""Correlation against numpy's, and what is said of too little, of nothing and of nonsense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apps.risk.correlation.estimate import FEWEST_SAMPLES, correlation, correlations
from apps.risk.correlation.groups import group_of


def noise(seed: int, count: int = 200):
    return np.random.default_rng(seed).normal(0, 0.01, count)


def test_the_coefficient_is_pearsons_over_the_steps_both_were_seen_in():
    x, y = noise(1), noise(2) + 0.5 * noise(1)
    assert correlation(x, y) == (pytest.approx(np.corrcoef(x, y)[0, 1]), 200)
    x[:20], y[50:60] = np.nan, np.nan
    seen = np.isfinite(x) & np.isfinite(y)
    assert correlation(x, y) == (pytest.approx(np.corrcoef(x[seen], y[seen])[0, 1]), 170)


def test_a_copy_is_one_an_opposite_minus_one_at_any_size():
    x = noise(3)
    assert correlation(x, x * 7)[0] == pytest.approx(1)
    assert correlation(x * 1e-200, x * 1e200)[0] == pytest.approx(1)
    assert correlation(x, -x)[0] == pytest.approx(-1)


def test_steps_in_which_neither_moved_say_nothing():
    x, y = noise(4, FEWEST_SAMPLES), noise(5, FEWEST_SAMPLES)
    still = np.zeros(500)
    alone = correlation(x, y)
    assert correlation(np.concatenate([x, still]), np.concatenate([y, still])) == alone
    assert correlation(still, still) == (None, 0)
    # One that never moves while the other does has no direction to share.
    assert correlation(x, np.zeros(FEWEST_SAMPLES)) == (None, FEWEST_SAMPLES)
    assert correlation(x[:-1], y[:-1]) == (None, FEWEST_SAMPLES - 1)


@given(
    arrays(np.float64, 60, elements=st.floats(allow_nan=True, allow_infinity=True)),
    arrays(np.float64, 60, elements=st.floats(allow_nan=True, allow_infinity=True)),
)
def test_whatever_is_seen_the_answer_is_a_share_or_not_known_and_the_same_both_ways(x, y):
    value, samples = correlation(x, y)
    assert value is None or -1 <= value <= 1
    assert samples <= 60
    back, _ = correlation(y, x)
    assert (value is None) == (back is None)
    assert value is None or value == pytest.approx(back)


def test_every_pair_once_by_name():
    returns = np.column_stack([noise(1), noise(2), noise(1)])
    pairs = {(pair.one, pair.other): pair.value for pair in correlations(["b", "c", "a"], returns)}
    assert list(pairs) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert pairs["a", "b"] == pytest.approx(1)


def test_a_group_is_everybody_linked_directly_or_through_others():
    links = [("a", "b"), ("c", "b"), ("d", "e")]
    assert group_of("a", links) == group_of("c", links) == ("a", "b", "c")
    assert group_of("e", links) == ("d", "e")
    assert group_of("f", links) == ("f",)


@given(st.lists(st.tuples(st.integers(0, 8).map(str), st.integers(0, 8).map(str)), max_size=20))
def test_members_of_one_group_have_the_same_group(links):
    for name in map(str, range(9)):
        group = group_of(name, links)
        assert name in group
        assert all(group_of(member, links) == group for member in group)
