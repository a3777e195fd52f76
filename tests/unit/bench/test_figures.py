"""The figures of the benchmarks: percentiles that were measured, ratios that are told only when they exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import Spread, percentile, ratio

SAMPLES = st.lists(st.floats(0, 1e9), min_size=1, max_size=300)


def test_the_percentile_is_the_nearest_rank():
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, p) for p in (0, 1, 50, 99, 100)] == [1, 1, 50, 99, 100]


def test_the_p99_of_few_samples_is_the_worst():
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(3, 2.0, 3.0, 3.0)


@given(SAMPLES, st.floats(0, 100))
def test_a_percentile_is_always_one_of_the_samples(samples, percent):
    assert percentile(sorted(samples), percent) in samples


@given(SAMPLES)
def test_at_least_the_stated_share_lies_at_or_below_a_percentile(samples):
    found = percentile(sorted(samples), 99)
    assert sum(sample <= found for sample in samples) >= 0.99 * len(samples)


def test_no_samples_have_no_figures():
    assert Spread.of([]) == Spread(0, None, None, None)


@pytest.mark.parametrize(("samples", "percent"), [([], 50), ([1.0], -1), ([1.0], 101)])
def test_refuses_a_percentile_that_does_not_exist(samples, percent):
    with pytest.raises(ValueError, match="percent"):
        percentile(samples, percent)


@pytest.mark.parametrize(
    ("above", "below", "quotient"), [(4.0, 2.0, 2.0), (None, 2.0, None), (4.0, None, None), (4.0, 0.0, None)]
)
def test_a_ratio_exists_only_with_both_its_parts(above, below, quotient):
    assert ratio(above, below) == quotient
