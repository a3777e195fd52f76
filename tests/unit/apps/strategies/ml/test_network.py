"""Runs only where PyTorch is installed (requirements-ml.txt); everywhere else each test says why it does not."""

import hashlib
import sys
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from apps.strategies.backtest.engines import backtest
from apps.strategies.backtest.history import History
from apps.strategies.library.learned import store
from apps.strategies.library.learned.models import NetworkModel, model_of, network_to_bytes
from apps.strategies.ml.network import Network, trained_net, weights_of
from apps.strategies.ml.samples import _seen
from apps.strategies.ml.training import Recipe, train
from moondev.domain.errors import InvalidValue, Invariant
from moondev.domain.values import Side
from tests.support.filters import MINUTES, filtered, made_up, needs_pytorch, prepared, setting

pytestmark = needs_pytorch
DIRECTION = {Side.BUY: 1, Side.SELL: -1}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_kept_weights_computed_by_numpy_say_what_pytorch_says():
    import torch

    rng, samples = np.random.default_rng(3), made_up()
    inputs = (samples.rows - samples.rows.mean(axis=0)) / samples.rows.std(axis=0)
    net = trained_net(torch, inputs, samples.won, 5)
    scale = {"mean": samples.rows.mean(axis=0), "deviation": samples.rows.std(axis=0)}
    model = model_of("network", network_to_bytes({**scale, **weights_of(net)}))
    # What it learnt from, what it never saw, and numbers far outside of either.
    for rows in (samples.rows, rng.normal(size=(500, 15)), 40 * rng.normal(size=(500, 15))):
        with torch.no_grad():
            expected = torch.sigmoid(net(torch.tensor((rows - scale["mean"]) / scale["deviation"])))[:, 0].numpy()
        assert np.abs(model.win_probability(rows) - expected).max() < 1e-6
        assert expected.std() > 0.05
    whole = Network(5)
    whole.fit(samples.rows, samples.won)
    assert np.array_equal(whole.win_probability(samples.rows), model.win_probability(samples.rows))


def test_a_feature_that_never_changed_is_no_division_by_zero():
    samples = made_up()
    samples.rows[:, 4] = 2.0
    network = Network(1)
    network.fit(samples.rows, samples.won)
    assert np.isfinite(network.win_probability(samples.rows)).all()


def test_a_seed_decides_everything_and_neither_threads_nor_earlier_chance_do():
    import torch

    samples, written = made_up(), []
    before = torch.get_num_threads()
    try:
        for seed, threads in ((3, 1), (3, 2), (4, 1)):
            torch.set_num_threads(threads)
            torch.rand(threads)
            state = torch.random.get_rng_state()
            network = Network(seed)
            network.fit(samples.rows, samples.won)
            written.append(network.to_bytes())
            # What else draws in this process draws as if nothing had been trained.
            assert torch.equal(torch.random.get_rng_state(), state)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert written[0] == written[1] != written[2]


def test_a_network_that_was_not_fitted_says_nothing():
    for ask in (Network(1).to_bytes, lambda: Network(1).win_probability(made_up().rows)):
        with pytest.raises(Invariant, match="before it was fitted"):
            ask()


def test_a_trained_network_is_kept_and_trusted_as_other_filters_are(tmp_path, settings, monkeypatch):
    settings.MOONDEV_MODELS_DIR = tmp_path
    card, model = train(prepared(), Recipe("network", 3), NOW)
    assert train(prepared(), Recipe("network", 3), NOW) == (card, model)
    assert card.model_sha256 == hashlib.sha256(model).hexdigest()
    assert (card.model, card.library, len(card.folds)) == ("network", f"numpy {np.__version__}", 3)
    assert sum(fold["judged_on"] for fold in card.folds) == card.trades
    assert all(fold["purged"] > 0 for fold in card.folds[:-1])

    artefact = store.save(card, model, tmp_path)
    # A worker has no PyTorch: it must not even be asked for.
    monkeypatch.setitem(sys.modules, "torch", None)
    assert isinstance(store.trained(artefact).model, NetworkModel)
    past = setting(350)
    every = backtest(filtered(artefact=artefact, threshold=1e-9), past).trades
    asked = _odds(artefact, past, every)
    limit = float(np.median(asked))
    some = backtest(filtered(artefact=artefact, threshold=limit), past).trades
    assert 0 < len(some) < len(every)
    assert min(_odds(artefact, past, some)) >= limit > min(asked)

    path = tmp_path / f"{artefact}.model"
    path.write_bytes(model[:-1] + b"?")
    store._trained.cache_clear()
    with pytest.raises(InvalidValue, match="the model its card speaks of"):
        store.trained(artefact)
    with pytest.raises(InvalidValue, match="train anew"):
        store.trained(store.save(replace(card, library="numpy 1.0"), model, tmp_path))


def _odds(artefact, past, trades):
    """Return how probable the filter holds a win of each trade, from the bars that had closed at its entry."""
    (market,) = past.markets
    histories = {market.key: History(market.recorded.bars)}
    rows = [_seen(histories, one.instrument, MINUTES, one.entered_ms, DIRECTION[one.side]) for one in trades]
    return store.trained(artefact).model.win_probability(np.array(rows))
