"""Which models can be trained, by name; each behind the same two steps: fit, then say how probable a win is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from apps.strategies.library.learned.models import pipeline_to_bytes
from apps.strategies.ml.network import Network
from moondev.domain.errors import InvalidValue

TREES = 60


class Trainable(Protocol):
    """A model that can be fitted and written."""

    def fit(self, rows: NDArray[np.float64], won: NDArray[np.int64]) -> None:
        """Learn."""
        ...

    def win_probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one probability per row."""
        ...

    def to_bytes(self) -> bytes:
        """Return what `library.learned.models.model_of` reads."""
        ...


class Pipeline:
    """A scikit-learn pipeline."""

    def __init__(self, pipeline: Any) -> None:  # noqa: ANN401  scikit-learn has no types
        """Hold a pipeline that is not fitted yet."""
        self._pipeline = pipeline

    def fit(self, rows: NDArray[np.float64], won: NDArray[np.int64]) -> None:
        """Learn."""
        self._pipeline.fit(rows, won)

    def win_probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one probability per row."""
        return np.asarray(self._pipeline.predict_proba(rows)[:, 1])

    def to_bytes(self) -> bytes:
        """Return the pipeline as skops writes it."""
        return pipeline_to_bytes(self._pipeline)


def _logistic(seed: int) -> Trainable:
    return Pipeline(make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1_000, random_state=seed)))


def _forest(seed: int) -> Trainable:
    return Pipeline(RandomForestClassifier(TREES, min_samples_leaf=20, max_depth=6, random_state=seed, n_jobs=1))


_MODELS: Mapping[str, Callable[[int], Trainable]] = MappingProxyType(
    {"logistic": _logistic, "forest": _forest, "network": Network}
)


def trainable(name: str, seed: int) -> Trainable:
    """Return a new model. Raises InvalidValue for an unknown one, Configuration where its extra is not installed."""
    if name not in _MODELS:
        raise InvalidValue("model", name, ", ".join(_MODELS))
    return _MODELS[name](seed)
