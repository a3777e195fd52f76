"""Folds cover what they should and never let training touch a test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.strategies.backtest.folds import Fold, Rows, anchored, purged, rolling
from moondev.domain.errors import InvalidValue

counts = some.integers(30, 500)
gaps = some.integers(0, 5)


def test_a_walk_forward_over_ten_rows_by_hand():
    assert rolling(10, train=4, test=2, purge=1) == (
        Fold((Rows(1, 5),), Rows(6, 8)),
        Fold((Rows(3, 7),), Rows(8, 10)),
    )
    assert anchored(10, train=4, test=2, purge=1)[1] == Fold((Rows(0, 7),), Rows(8, 10))


def test_purged_folds_over_ten_rows_by_hand():
    folds = purged(10, folds=2, purge=1, embargo=1)
    assert folds == (Fold((Rows(7, 10),), Rows(0, 5)), Fold((Rows(0, 4),), Rows(5, 10)))
    assert folds[0].train_indices.tolist() == [7, 8, 9]


@given(counts, some.integers(1, 10), some.integers(1, 10), gaps)
def test_tests_that_walk_forward_touch_each_other_and_reach_the_end(count, train, test, purge):
    for folds in (rolling(count, train, test, purge), anchored(count, train, test, purge)):
        rows = np.concatenate([fold.test.indices for fold in folds])
        assert rows.tolist() == list(range(folds[0].test.start, count))
        # One more would not have fitted.
        assert folds[0].test.start - test < train + purge
        for fold in folds:
            assert fold.test.start - int(fold.train_indices[-1]) == purge + 1
            assert len(fold.train_indices) >= train


@given(counts, some.integers(2, 6), gaps, gaps)
def test_purged_tests_cover_every_row_once_and_training_keeps_its_distance(count, folds, purge, embargo):
    made = purged(count, folds, purge, embargo)
    assert np.concatenate([fold.test.indices for fold in made]).tolist() == list(range(count))
    for fold in made:
        before = fold.train_indices[fold.train_indices < fold.test.start]
        after = fold.train_indices[fold.train_indices >= fold.test.stop]
        assert len(before) + len(after) == len(fold.train_indices)
        assert len(before) == max(0, fold.test.start - purge)
        assert len(after) == max(0, count - fold.test.stop - purge - embargo)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: rolling(9, 5, 5), "rows"),
        (lambda: rolling(9, 5, 4, purge=1), "rows"),
        (lambda: rolling(9, 0, 4), "train"),
        (lambda: rolling(9, 4, 0), "test"),
        (lambda: rolling(9, 4, 1, purge=-1), "purge"),
        (lambda: purged(9, 1), "folds"),
        (lambda: purged(9, 10), "folds"),
        (lambda: purged(9, 2, embargo=-1), "embargo"),
        (lambda: purged(9, 2, purge=9), "purge"),
        (lambda: Rows(3, 3), "rows"),
        (lambda: Rows(-1, 3), "rows"),
    ],
)
def test_folds_that_do_not_fit_are_refused(make, field):
    with pytest.raises(InvalidValue) as refusal:
        make()
    assert refusal.value.field == field
