"""When synthetic trades arrive, on which side and how large.

Arrivals excite each other: intensity = base + sum of exp(-decay x age) over past trades (Hawkes,
Biometrika 58(1), 1971), in discrete steps. Sizes are lognormal; the side leans with the trend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.mock.engine.feed.profiles import Profile

Vector = NDArray[np.float64]
_MAX_PER_STEP = 20


@dataclass(frozen=True, slots=True)
class Flow:
    """`rate` trades per second and coin on average, of which the share `echo` answers others."""

    rate: float = 5.0
    echo: float = 0.5
    decay: float = 1.0
    size_spread: float = 1.2
    lean: float = 0.25


@dataclass(frozen=True, slots=True)
class Arrival:
    """One market order: which coin, which side, how much in quote currency."""

    coin: int
    is_buy: bool
    notional: float


class ArrivalProcess:
    """Trades of all coins together, seeded."""

    def __init__(self, profiles: Sequence[Profile], rng: np.random.Generator, flow: Flow) -> None:
        """Start at the base intensity."""
        self._rng = rng
        self._flow = flow
        self._base = flow.rate * (1 - flow.echo)
        self._excess: Vector = np.full(len(profiles), flow.rate * flow.echo)
        self._median: Vector = np.array([p.trade_notional for p in profiles])

    @property
    def mean_notional(self) -> Vector:
        """Return the average trade per coin, in quote currency."""
        return self._median * float(np.exp(self._flow.size_spread**2 / 2))

    def step(self, dt: float, momentum: Vector) -> list[Arrival]:
        """Return the trades of the next `dt` seconds."""
        counts = np.minimum(self._rng.poisson((self._base + self._excess) * dt), _MAX_PER_STEP)
        self._excess *= np.exp(-self._flow.decay * dt)
        self._excess += self._flow.echo * self._flow.decay * counts
        return [self._arrival(int(coin), momentum) for coin in np.repeat(np.arange(len(counts)), counts)]

    def _arrival(self, coin: int, momentum: Vector) -> Arrival:
        is_buy = bool(self._rng.random() < 0.5 + self._flow.lean * momentum[coin])
        spread = self._flow.size_spread * self._rng.standard_normal()
        return Arrival(coin, is_buy, float(self._median[coin] * np.exp(spread)))
