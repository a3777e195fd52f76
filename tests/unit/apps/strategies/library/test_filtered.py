import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

import numpy as np
import pytest

from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.history import History
from apps.strategies.backtest.record import Origin
from apps.strategies.backtest.requests.setting import Prepared
from apps.strategies.base import OwnPosition
from apps.strategies.library.filtered import _Gate
from apps.strategies.library.learned import store
from apps.strategies.library.learned.card import card_of
from apps.strategies.ml.samples import _seen
from apps.strategies.ml.training import Recipe, train
from apps.strategies.orchestrator.loader import load
from moondev.domain.desired import Target
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import InstrumentView, MarketView
from moondev.domain.portfolio import Holding
from moondev.domain.values import Side
from tests.support.filters import BITCOIN, MINUTES, START_MS, STEP_MS, filtered, inner, prepared, setting


def entries(trades):
    began = START_MS + 150 * STEP_MS
    return [(trade.entered_ms, trade.side) for trade in trades if trade.entered_ms >= began]


@pytest.fixture(scope="module")
def made():
    return train(prepared(), Recipe("logistic", 3), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def artefact(made, tmp_path, settings):
    settings.MOONDEV_MODELS_DIR = tmp_path
    return store.save(*made, tmp_path)


def test_without_a_model_it_is_the_inner_strategy_to_the_last_trade():
    alone = backtest(load("mean_reversion", inner()), setting(350), EngineName.REPLAY)
    through = backtest(filtered(), setting(350), EngineName.REPLAY)
    assert len(alone.trades) > 10
    assert through.trades == alone.trades
    assert np.array_equal(through.curve.equity, alone.curve.equity)


def test_a_model_lets_through_what_is_likely_to_win(artefact):
    past = setting(350)
    alone = backtest(load("mean_reversion", inner()), past, EngineName.REPLAY)
    histories = {"binance:BTCUSDT": History(past.markets[0].recorded.bars)}
    trained, odds = store.trained(artefact), []
    for trade in alone.trades:
        direction = 1 if trade.side is Side.BUY else -1
        row = _seen(histories, trade.instrument, MINUTES, trade.entered_ms, direction)
        odds += [] if row is None else [float(trained.model.win_probability(np.array([row]))[0])]
    # Barely any probability, that of the better half, nearly certainty.
    found = [backtest(filtered(artefact=artefact, threshold=value), past) for value in (1e-9, median(odds), 0.999999)]
    every, some, none = (result.trades for result in found)
    # The first hundred bars are looked at, not traded on; from then on both are flat at the same time soon.
    assert entries(every) == entries(alone.trades) != []
    assert none == ()
    assert 0 < len(some) < len(every)


def test_a_card_tells_what_the_model_was_made_from(made):
    card, model = made
    assert card_of(card.to_bytes()) == card
    assert card.model_sha256 == hashlib.sha256(model).hexdigest()
    assert card.data == {"binance:BTCUSDT": setting().markets[0].recorded.source.content_hash}
    assert card.library.startswith("scikit-learn ")
    assert (len(card.folds), card.kind, card.interval_s) == (3, "mean_reversion", 900)
    assert sum(fold["judged_on"] for fold in card.folds) == card.trades


def test_a_filter_that_is_not_what_its_name_says_is_never_read(artefact, tmp_path, made):
    card, model = made
    path = tmp_path / f"{artefact}.model"
    path.write_bytes(model[:-1] + b"?")
    with pytest.raises(InvalidValue, match="the model its card speaks of"):
        store.trained(artefact)
    path.write_bytes(model)
    (tmp_path / f"{artefact}.json").write_bytes(replace(card, threshold=0.01).to_bytes())
    with pytest.raises(InvalidValue, match="this one was changed"):
        store.trained(artefact)
    for name in ("../../etc/passwd", "f" * 31, "", "F" * 32):
        with pytest.raises(InvalidValue, match="32 hexadecimal digits"):
            store.trained(name)
    with pytest.raises(InvalidValue, match="there is no"):
        store.trained("0" * 32)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"library": "scikit-learn 0.1"}, "train anew"),
        ({"features_hash": "0" * 64}, "train anew"),
        ({"features": ("one",)}, "train anew"),
        ({"model": "magic", "library": "scikit-learn 0.1"}, "train anew"),
    ],
)
def test_a_filter_made_by_other_libraries_or_features_is_refused(made, tmp_path, settings, change, words):
    settings.MOONDEV_MODELS_DIR = tmp_path
    card, model = made
    with pytest.raises(InvalidValue, match=words):
        store.trained(store.save(replace(card, **change), model, tmp_path))


def test_a_model_for_another_strategy_and_parameters_that_do_not_fit_are_refused(artefact):
    loaded = load("filtered", {"inner": "consolidation_pop", "artefact": artefact})
    with pytest.raises(InvalidValue, match="one trained on consolidation_pop"):
        loaded.strategy.ready(loaded.parameters)
    for values, words in (
        ({"inner_parameters": "{"}, "JSON"),
        ({"inner_parameters": "[]"}, "a JSON object"),
        ({"inner_parameters": '{"length": -1}'}, "length"),
        ({"inner_preset": "none"}, "canonical"),
        ({"inner": "market_maker"}, "mean_reversion"),
    ):
        with pytest.raises(InvalidValue, match=words):
            load("filtered", {"inner": "mean_reversion", **values})


def test_trades_that_teach_nothing_are_refused():
    with pytest.raises(InvalidValue, match="trades to learn from"):
        train(prepared(150), Recipe(), datetime(2026, 1, 1, tzinfo=UTC))
    maker = Prepared(load("market_maker", {}), setting(150), Origin("test"))
    with pytest.raises(InvalidValue, match="mean_reversion, consolidation_pop"):
        train(maker, Recipe(), datetime(2026, 1, 1, tzinfo=UTC))


def test_a_filter_that_cannot_be_read_lets_go_of_what_is_held_and_opens_nothing(tmp_path, settings):
    settings.MOONDEV_MODELS_DIR = tmp_path
    loaded = filtered(artefact="0" * 32)
    with pytest.raises(InvalidValue, match="there is no"):
        loaded.strategy.ready(loaded.parameters)
    # What it needs to see is then what the inner strategy needs; whether it may trade is another question.
    assert loaded.strategy.needs(loaded.parameters, (BITCOIN,)) == filtered().strategy.needs(
        filtered().parameters, (BITCOIN,)
    )
    key, now = BITCOIN.key, datetime(2026, 1, 1, tzinfo=UTC)
    view = MarketView(now, {key: InstrumentView({}, None, None, timedelta(0))})
    ask = {"params": loaded.parameters, "state": {}, "instruments": {key: BITCOIN}}
    with pytest.raises(InvalidValue, match="there is no"):
        loaded.strategy.decide(view, OwnPosition({}, 1e5, 1.0), **ask)
    held = OwnPosition({key: Holding(Decimal(2), Decimal(200))}, 1e5, 1.0)
    assert loaded.strategy.decide(view, held, **ask).desired == ()

    gate = _Gate("gone", 0.5, view, held, {})
    more, less, none = (Target(key, weight, "s", "told so") for weight in (0.5, 0.1, 0.0))
    assert [gate.passed(one) for one in (more, less, none)] == [more, less, none]
    # To turn round is to leave, which it may, and to open, which it may not.
    assert gate.passed(Target(key, -0.5, "t", "told so")).weight == 0
    assert gate.notes == [f"{key}: t: refused, gone"]
