from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.library.learned.features import FEATURE_BARS, NAMES, features
from moondev.domain.market_data import BarSeries

MINUTES = timedelta(minutes=5)


def bars(count=300, seed=1, factor=1.0):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.002, count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999
    stamps = 1_700_000_100_000 + 300_000 * np.arange(count, dtype=np.int64)
    return BarSeries(
        MINUTES, stamps, *(factor * column for column in (open_, high, low, close)), rng.exponential(5, count)
    )


@given(st.integers(FEATURE_BARS, 300), st.sampled_from([1, -1]))
def test_neither_the_future_nor_the_far_past_changes_a_feature(count, direction):
    whole = bars()
    now = whole.part(0, count)
    row = features(now, direction)
    assert len(row) == len(NAMES)
    assert np.isfinite(row).all()
    assert features(whole.part(count - FEATURE_BARS, count), direction) == row
    assert features(bars(seed=1).part(0, count), direction) == row


def test_too_few_bars_have_no_features():
    assert features(bars().part(0, FEATURE_BARS - 1), 1) is None


def test_the_scale_of_prices_does_not_matter_and_a_short_sees_the_mirror():
    long, short, dear = features(bars(), 1), features(bars(), -1), features(bars(factor=64.0), 1)
    assert dear == pytest.approx(long)
    turned = {name for name, one, other in zip(NAMES, long, short, strict=True) if one != other}
    assert turned == {
        *("return_5", "return_20", "return_80"),
        *("distance_20", "distance_80", "position_80", "same_way_20"),
    }
    assert [one for name, one in zip(NAMES, long, strict=True) if name in turned] == pytest.approx(
        [-one for name, one in zip(NAMES, short, strict=True) if name in turned]
    )


def test_a_market_that_stands_still_has_finite_features():
    flat = np.full(FEATURE_BARS, 50.0)
    stamps = 300_000 * np.arange(FEATURE_BARS, dtype=np.int64)
    row = features(BarSeries(MINUTES, stamps, flat, flat, flat, flat, np.zeros(FEATURE_BARS)), 1)
    assert np.isfinite(row).all()
