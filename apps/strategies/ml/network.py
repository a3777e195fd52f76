"""A small neural network in PyTorch, behind the same steps as the other models. Needs requirements-ml.txt to train.

What is kept are its weights as arrays; they are computed with numpy, so that no worker needs PyTorch to trade by one.
"""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.strategies.library.learned.models import NetworkModel, network_to_bytes
from moondev.domain.errors import Configuration, Invariant

EXTRA = "requirements-ml.txt"
HIDDEN, EPOCHS, RATE, DECAY = (16, 8), 200, 1e-2, 1e-3


class Network:
    """Two hidden layers, trained on the whole at once: trades are few."""

    def __init__(self, seed: int) -> None:
        """Take the seed of its first weights. Raises Configuration without PyTorch."""
        self._torch = _torch()
        self._seed = seed
        self._arrays: dict[str, NDArray[np.float64]] = {}

    def fit(self, rows: NDArray[np.float64], won: NDArray[np.int64]) -> None:
        """Learn."""
        torch, mean = self._torch, rows.mean(axis=0)
        deviation = np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
        torch.manual_seed(self._seed)
        widths = (rows.shape[1], *HIDDEN, 1)
        layers = [torch.nn.Linear(*pair) for pair in pairwise(widths)]
        parts = [part for layer in layers for part in (layer, torch.nn.ReLU())][:-1]
        net = torch.nn.Sequential(*parts).double()
        inputs, wanted = torch.tensor((rows - mean) / deviation), torch.tensor(won[:, None].astype(np.float64))
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        for _ in range(EPOCHS):
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(net(inputs), wanted).backward()
            optimiser.step()
        self._arrays = {"mean": mean, "deviation": deviation}
        for at, layer in enumerate(layers):
            self._arrays[f"weight_{at}"] = layer.weight.detach().numpy()
            self._arrays[f"bias_{at}"] = layer.bias.detach().numpy()

    def win_probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one probability per row."""
        return NetworkModel(self._fitted()).win_probability(rows)

    def to_bytes(self) -> bytes:
        """Return the weights."""
        return network_to_bytes(self._fitted())

    def _fitted(self) -> dict[str, NDArray[np.float64]]:
        if not self._arrays:
            raise Invariant("a network was asked before it was fitted")
        return self._arrays


def _torch() -> Any:  # noqa: ANN401  a module of an extra, which may be absent
    try:
        return import_module("torch")
    except ImportError as error:
        raise Configuration(f"model is network, which is trained with PyTorch: pip install -r {EXTRA}") from error
