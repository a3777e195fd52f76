"""The fair prices of a synthetic market: volatility clusters, coins move together, trends happen.

Log volatility is an Ornstein-Uhlenbeck process (exponential stochastic volatility: Scott, "Option
Pricing when the Variance Changes Randomly", JFQA 22(4), 1987), stepped exactly, so any step length
gives the same law. A hidden three-state chain (down, flat, up) adds a drift (Hamilton,
Econometrica 57(2), 1989). A common factor correlates the coins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.mock.engine.feed.profiles import Profile

Vector = NDArray[np.float64]
SECONDS_PER_YEAR = 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Climate:
    """What the coins have in common. Times in seconds.

    `trend_strength` is the drift of a trend in standard deviations per minute, per minute.
    """

    correlation: float = 0.6
    volatility_half_life: float = 600.0
    volatility_spread: float = 0.5
    flat_lasts: float = 240.0
    trend_lasts: float = 150.0
    trend_strength: float = 1.0


class PriceProcess:
    """Fair prices of all coins together, seeded."""

    def __init__(self, profiles: Sequence[Profile], rng: np.random.Generator, climate: Climate) -> None:
        """Start at the profiles' prices, in calm weather, without a trend."""
        self._rng = rng
        self._climate = climate
        self._sigma: Vector = np.array([p.volatility for p in profiles]) / np.sqrt(SECONDS_PER_YEAR)
        self._log_price: Vector = np.log(np.array([p.price for p in profiles]))
        self._heat: Vector = np.zeros(len(profiles))
        self._trend: Vector = np.zeros(len(profiles))
        self._kernels: dict[tuple[int, float], tuple[Vector, Vector]] = {}

    @property
    def momentum(self) -> Vector:
        """Return -1, 0 or +1 per coin: the trend in force."""
        return self._trend

    @property
    def heat(self) -> Vector:
        """Return the present volatility over the usual one, per coin."""
        heat: Vector = np.exp(self._heat - self._climate.volatility_spread**2)
        return heat

    def block(self, steps: int, dt: float) -> Vector:
        """Return the fair prices after each of `steps` steps of `dt` seconds, shape (steps, coins).

        A trend starts or ends between blocks only, so a block should not exceed a minute.
        """
        coins = len(self._sigma)
        self._change_trends(steps * dt)
        heats = self._heats(steps, dt)
        common, own = self._rng.standard_normal((steps, 1)), self._rng.standard_normal((steps, coins))
        rho = self._climate.correlation
        shocks = np.sqrt(rho) * common + np.sqrt(1 - rho) * own
        sigmas = self._sigma * np.exp(heats - self._climate.volatility_spread**2)
        drift = self._trend * self._climate.trend_strength * self._sigma / np.sqrt(60.0)
        moves = sigmas * np.sqrt(dt) * shocks + drift * dt
        path = self._log_price + np.cumsum(moves, axis=0)
        self._log_price, self._heat = path[-1], heats[-1]
        fair: Vector = np.exp(path)
        return fair

    def _heats(self, steps: int, dt: float) -> Vector:
        keep = 0.5 ** (dt / self._climate.volatility_half_life)
        spread = self._climate.volatility_spread * np.sqrt(1 - keep**2)
        noise = spread * self._rng.standard_normal((steps, len(self._sigma)))
        if steps == 1:
            heat: Vector = keep * self._heat + noise
            return heat
        powers, weights = self._kernel(steps, keep)
        heats: Vector = weights @ noise + np.outer(powers * keep, self._heat)
        return heats

    def _kernel(self, steps: int, keep: float) -> tuple[Vector, Vector]:
        """Return how much of each noise is left at each step; a history asks for the same one every minute."""
        kernel = self._kernels.get((steps, keep))
        if kernel is None:
            powers = keep ** np.arange(steps, dtype=np.float64)
            weights = np.tril(keep ** np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)).astype(np.float64)))
            kernel = self._kernels[steps, keep] = (powers, weights)
        return kernel

    def _change_trends(self, seconds: float) -> None:
        lasts = np.where(self._trend == 0, self._climate.flat_lasts, self._climate.trend_lasts)
        draws = self._rng.random((2, len(self._sigma)))
        changes = draws[0] < -np.expm1(-seconds / lasts)
        if not changes.any():
            return
        fresh = np.where(self._trend == 0, np.where(draws[1] < 0.5, -1.0, 1.0), 0.0)
        self._trend = np.where(changes, fresh, self._trend)
