"""From a backtest of the strategy alone to a filter with its card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from apps.strategies.backtest.engines import backtest
from apps.strategies.backtest.requests.setting import Prepared
from apps.strategies.library.learned.card import Card
from apps.strategies.library.learned.features import FEATURE_BARS, NAMES
from apps.strategies.library.learned.parameters import INNER
from apps.strategies.library.learned.store import features_hash, library_of
from apps.strategies.ml.folds import purged_splits
from apps.strategies.ml.pipelines import trainable
from apps.strategies.ml.samples import Samples, samples_of
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to learn: which model, in how many folds it is judged, and the seed of its chance."""

    model: str = "logistic"
    folds: int = 5
    seed: int = 1


def train(prepared: Prepared, recipe: Recipe, now: datetime) -> tuple[Card, bytes]:
    """Return the card and the bytes of a filter for the trades of the prepared strategy.

    Judged by purged cross-validation first, then learnt from all trades. Raises InvalidValue for a strategy that
    cannot be filtered and for trades of which nothing can be learnt, Configuration where an extra is missing.
    """
    loaded, setting = prepared.loaded, prepared.setting
    if loaded.strategy.name not in INNER:
        raise InvalidValue("strategy", loaded.strategy.name, ", ".join(INNER))
    interval: timedelta = loaded.parameters.bar  # type: ignore[attr-defined]
    result = backtest(loaded, setting)
    samples = samples_of(result, setting, interval)
    threshold = break_even(samples.made)
    probabilities, folds = judged(samples, recipe, interval)
    model = trainable(recipe.model, recipe.seed)
    model.fit(samples.rows, samples.won)
    written = model.to_bytes()
    card = Card(
        kind=loaded.strategy.name,
        parameters=loaded.parameters.model_dump(mode="json"),
        interval_s=round(interval.total_seconds()),
        model=recipe.model,
        model_sha256=hashlib.sha256(written).hexdigest(),
        library=library_of(recipe.model),
        features=NAMES,
        features_hash=features_hash(),
        code_hash=loaded.code_hash,
        data={key: source.content_hash for key, source in result.data.items()},
        threshold=threshold,
        trades=len(samples),
        folds=folds,
        scores=scores_of(samples, probabilities, threshold),
        trained_at=now.isoformat(),
    )
    return card, written


def break_even(made: Numbers) -> float:
    """Return the probability of a win from which on a trade is worth it, by what wins and losses make on average."""
    win, loss = float(made[made > 0].mean()), float(-made[made <= 0].mean())
    return round(min(max(loss / (win + loss), 0.0), 1 - 1e-6), 6)


def judged(samples: Samples, recipe: Recipe, interval: timedelta) -> tuple[Numbers, tuple[Mapping[str, Any], ...]]:
    """Return each trade's probability by a model that did not learn from it, and what each fold was."""
    probabilities, folds = np.full(len(samples), np.nan), list[Mapping[str, Any]]()
    embargo_ms = round(interval.total_seconds() * 1000) * FEATURE_BARS
    for split in purged_splits(samples.entered_ms, samples.exited_ms, recipe.folds, embargo_ms):
        model = trainable(recipe.model, recipe.seed)
        model.fit(samples.rows[split.train], samples.won[split.train])
        probabilities[split.test] = model.win_probability(samples.rows[split.test])
        folds.append(_fold_told(samples, split.train, split.test, probabilities))
    return probabilities, tuple(folds)


def scores_of(samples: Samples, probabilities: Numbers, threshold: float) -> dict[str, float | None]:
    """Return how much better than chance the model orders trades, and what those it lets through made, out of sample.

    `made` is per unit of notional, after costs; None where nothing was let through.
    """
    kept = probabilities >= threshold
    return {
        "auc": round(float(roc_auc_score(samples.won, probabilities)), 6),
        "log_loss": round(float(log_loss(samples.won, probabilities)), 6),
        "log_loss_of_base_rate": round(float(log_loss(samples.won, np.full(len(samples), samples.won.mean()))), 6),
        "win_rate": round(float(samples.won.mean()), 6),
        "win_rate_let_through": _mean(samples.won[kept]),
        "share_let_through": round(float(kept.mean()), 6),
        "made": _mean(samples.made),
        "made_let_through": _mean(samples.made[kept]),
    }


def _fold_told(
    samples: Samples, train: NDArray[np.int64], test: NDArray[np.int64], probabilities: Numbers
) -> Mapping[str, Any]:
    won = samples.won[test]
    both = 0 < won.sum() < len(won)
    return {
        "from": from_milliseconds(int(samples.entered_ms[test].min())).isoformat(),
        "to": from_milliseconds(int(samples.exited_ms[test].max())).isoformat(),
        "trained_on": len(train),
        "purged": len(samples) - len(train) - len(test),
        "judged_on": len(test),
        "auc": round(float(roc_auc_score(won, probabilities[test])), 6) if both else None,
    }


def _mean(values: NDArray[Any]) -> float | None:
    return round(float(values.mean()), 8) if len(values) else None
