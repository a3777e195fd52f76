from datetime import timedelta

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.strategies.library.learned.models import MODELS, model_of
from apps.strategies.ml.folds import purged_splits
from apps.strategies.ml.pipelines import trainable
from apps.strategies.ml.samples import Samples
from apps.strategies.ml.training import Recipe, break_even, judged, scores_of
from moondev.domain.errors import Configuration, InvalidValue
from tests.support.filters import made_up, needs_pytorch

TRAINABLE = ["logistic", "forest", pytest.param("network", marks=needs_pytorch)]


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 80)), min_size=8, max_size=60),
    st.integers(2, 5),
    st.integers(0, 40),
)
def test_nothing_that_is_learnt_from_overlaps_what_is_judged(spans, folds, embargo):
    ordered = sorted(spans)
    entered = np.array([start for start, _ in ordered])
    exited = np.array([start + held for start, held in ordered])
    try:
        splits = list(purged_splits(entered, exited, folds, embargo))
    except InvalidValue:
        assume(False)
    judged_on = np.concatenate([split.test for split in splits])
    assert sorted(judged_on) == list(range(len(spans)))
    for split in splits:
        began, ended = entered[split.test].min(), exited[split.test].max()
        for row in split.train:
            assert exited[row] < began or entered[row] > ended + embargo
        left_out = set(range(len(spans))) - set(split.train) - set(split.test)
        # Purged for a reason, each of them.
        assert all(exited[row] >= began and entered[row] <= ended + embargo for row in left_out)


@pytest.mark.parametrize("folds", [0, 1, 9])
def test_folds_that_cannot_be_are_refused(folds):
    with pytest.raises(InvalidValue, match="folds"):
        list(purged_splits(np.arange(8), np.arange(8) + 1, folds, 0))


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_model_finds_what_is_there_where_it_did_not_look_and_nothing_where_nothing_is(name):
    recipe, minute = Recipe(name, folds=4), timedelta(minutes=1)
    for told, least, most in ((2.0, 0.8, 1.0), (0.0, 0.4, 0.6)):
        samples = made_up(told=told)
        probabilities, folds = judged(samples, recipe, minute)
        scores = scores_of(samples, probabilities, break_even(samples.made))
        assert least < scores["auc"] < most
        assert [fold["judged_on"] for fold in folds] == [150] * 4
        assert [fold["purged"] > 0 for fold in folds] == [True, True, True, False]
    assert 0.45 < break_even(samples.made) < 0.55


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_model_says_the_same_after_it_was_kept_and_the_same_seed_makes_the_same_bytes(name):
    samples = made_up()
    one, other = trainable(name, 3), trainable(name, 3)
    for model in (one, other):
        model.fit(samples.rows, samples.won)
    kept = model_of(name, one.to_bytes())
    assert np.array_equal(kept.win_probability(samples.rows), one.win_probability(samples.rows))
    assert np.array_equal(other.win_probability(samples.rows), one.win_probability(samples.rows))


def test_a_network_says_which_extra_it_needs_when_it_is_not_there(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Configuration, match=r"pip install -r requirements-ml\.txt"):
        trainable("network", 1)


def test_a_network_is_computed_without_pytorch_as_its_layers_say():
    from apps.strategies.library.learned.models import network_to_bytes

    arrays = {
        "mean": np.array([1.0, 0.0]),
        "deviation": np.array([2.0, 1.0]),
        "weight_0": np.array([[1.0, 0.0], [0.0, -1.0]]),
        "bias_0": np.array([0.0, 0.5]),
        "weight_1": np.array([[2.0, 1.0]]),
        "bias_1": np.array([-1.0]),
    }
    model = model_of("network", network_to_bytes(arrays))
    # (3-1)/2 = 1 and -(0)+0.5: 2 x 1 + 0.5 - 1 = 1.5; (-1-1)/2 < 0 is cut off and -(2)+0.5 too: -1.
    expected = 1 / (1 + np.exp(-np.array([1.5, -1.0])))
    assert model.win_probability(np.array([[3.0, 0.0], [-1.0, 2.0]])) == pytest.approx(expected)
    # Numbers from far outside of what was learnt from, a crash say: certain, and no overflow on the way there.
    far = network_to_bytes({**arrays, "bias_1": np.array([-1e4])})
    assert model_of("network", far).win_probability(np.array([[3.0, 0.0]])).tolist() == [0.0]
    assert model.win_probability(np.array([[1e6, 0.0]])).tolist() == [1.0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("written", [b"", b"no model", b"PK\x03\x04"])
def test_bytes_that_are_no_model_are_refused(name, written):
    with pytest.raises(InvalidValue, match="model"):
        model_of(name, written)


def test_a_pickle_is_never_opened(tmp_path):
    import io
    import pickle

    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("opened").touch, ())

    held = io.BytesIO()
    np.savez(held, mean=np.array([Evil()], dtype=object), allow_pickle=True)
    for name, written in (("network", held.getvalue()), ("logistic", pickle.dumps(Evil()))):
        with pytest.raises(InvalidValue):
            model_of(name, written)
    assert not (tmp_path / "opened").exists()


def test_a_model_with_a_part_that_is_not_trusted_is_refused():
    import skops.io

    written = skops.io.dumps({"part": Samples})
    with pytest.raises(InvalidValue, match="Samples"):
        model_of("logistic", written)
