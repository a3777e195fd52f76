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
        mean, deviation = rows.mean(axis=0), np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1.0)
        net = trained_net(self._torch, (rows - mean) / deviation, won, self._seed)
        self._arrays = {"mean": mean, "deviation": deviation, **weights_of(net)}

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


def trained_net(torch: Any, inputs: NDArray[np.float64], won: NDArray[np.int64], seed: int) -> Any:  # noqa: ANN401  torch is an extra
    """Return layers fitted to inputs of mean 0 and deviation 1; the same seed gives the same to the last bit.

    One thread, for sums split over several come out by the number of cores; the process's own chance is left as it was.
    """
    widths = (inputs.shape[1], *HIDDEN, 1)
    data, wanted = torch.tensor(inputs), torch.tensor(won[:, None].astype(np.float64))
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = [part for pair in pairwise(widths) for part in (torch.nn.Linear(*pair), torch.nn.ReLU())]
        net = torch.nn.Sequential(*parts[:-1]).double()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    torch.set_num_threads(1)
    try:
        for _ in range(EPOCHS):
            optimiser.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(net(data), wanted).backward()
            optimiser.step()
    finally:
        torch.set_num_threads(threads)
    return net


def weights_of(net: Any) -> dict[str, NDArray[np.float64]]:  # noqa: ANN401  PyTorch need not be there
    """Return weight and bias of each layer, numbered from the input on; the rectifiers between them have none."""
    layers = [part for part in net if hasattr(part, "weight")]
    return {
        f"{name}_{at}": getattr(layer, name).detach().numpy().copy()
        for at, layer in enumerate(layers)
        for name in ("weight", "bias")
    }


def _torch() -> Any:  # noqa: ANN401  a module of an extra, which may be absent
    try:
        return import_module("torch")
    except ImportError as error:
        raise Configuration(f"model is network, which is trained with PyTorch: pip install -r {EXTRA}") from error
