"""Models as bytes that hold numbers and no code: nothing that is loaded from disk is ever executed.

A pickle may run anything; skops writes the parts of a scikit-learn model by name, and only names of the list below are
built again. A network is kept as plain arrays and computed with numpy: to use one takes no PyTorch.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from moondev.domain.errors import InvalidValue

Matrix = NDArray[np.float64]

# What may be built again besides the parts that skops trusts by itself: a decision tree, which is arrays too. Its code
# believes them without a look, so its bytes are read only after their hash was found to be the one asked for.
TRUSTED = ("sklearn.tree._tree.Tree",)


class Classifier(Protocol):
    """Says how probable it is that a trade wins."""

    def win_probability(self, rows: Matrix) -> Matrix:
        """Return one probability per row of features."""
        ...


class ScikitModel:
    """A scikit-learn pipeline."""

    def __init__(self, pipeline: Any) -> None:  # noqa: ANN401  scikit-learn has no types
        """Hold a fitted pipeline."""
        self._pipeline = pipeline

    def win_probability(self, rows: Matrix) -> Matrix:
        """Return one probability per row of features."""
        return np.asarray(self._pipeline.predict_proba(rows)[:, 1], dtype=np.float64)


class NetworkModel:
    """Layers of weights with rectifiers between them; the last gives the logit."""

    def __init__(self, arrays: Mapping[str, Matrix]) -> None:
        """Hold mean and deviation of the features, and weight and bias of each layer."""
        self._mean, self._deviation = arrays["mean"], arrays["deviation"]
        count = sum(name.startswith("weight_") for name in arrays)
        self._layers = [(arrays[f"weight_{at}"], arrays[f"bias_{at}"]) for at in range(count)]

    def win_probability(self, rows: Matrix) -> Matrix:
        """Return one probability per row of features."""
        values = (rows - self._mean) / self._deviation
        for weight, bias in self._layers[:-1]:
            values = np.maximum(values @ weight.T + bias, 0.0)
        weight, bias = self._layers[-1]
        return np.asarray(expit((values @ weight.T + bias)[:, 0]))


def pipeline_to_bytes(pipeline: Any) -> bytes:  # noqa: ANN401  any value
    """Return a fitted pipeline as skops writes it."""
    import skops.io  # noqa: PLC0415  takes seconds, and only those who use a model need it

    return bytes(skops.io.dumps(pipeline))


def network_to_bytes(arrays: Mapping[str, Matrix]) -> bytes:
    """Return the arrays of a network."""
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **dict(arrays))
    return held.getvalue()


def _scikit(written: bytes) -> Classifier:
    import skops.io  # noqa: PLC0415

    unknown = sorted(set(skops.io.get_untrusted_types(data=written)) - set(TRUSTED))
    if unknown:
        raise InvalidValue("model", ", ".join(unknown), "a model made of scikit-learn's and numpy's own parts")
    return ScikitModel(skops.io.loads(written, trusted=list(TRUSTED)))


def _network(written: bytes) -> Classifier:
    with np.load(io.BytesIO(written), allow_pickle=False) as arrays:
        return NetworkModel({name: arrays[name] for name in arrays.files})


_READERS: Mapping[str, Callable[[bytes], Classifier]] = MappingProxyType(
    {"logistic": _scikit, "forest": _scikit, "network": _network}
)
MODELS = tuple(_READERS)


def model_of(name: str, written: bytes) -> Classifier:
    """Return the model in `written`. Raises InvalidValue for an unknown kind and for anything but a model of it."""
    if name not in _READERS:
        raise InvalidValue("model", name, ", ".join(_READERS))
    try:
        return _READERS[name](written)
    except InvalidValue:
        raise
    except Exception as error:
        # Bytes that are no model fail in as many ways as there are parsers; none of them may pass for one.
        raise InvalidValue("model", f"{len(written)} bytes", f"a {name} model ({error})") from error
