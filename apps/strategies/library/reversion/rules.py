"""When a price is too far from its mean, when it is back, and what else has to agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import talib

from apps.strategies.indicators.half_life import half_life
from apps.strategies.indicators.session_vwap import session_vwap
from apps.strategies.indicators.z_score import mean_and_deviation, standardised
from apps.strategies.library.bracketed.rules import Bracket, Direction, Entry
from apps.strategies.library.bracketed.scene import Scene
from apps.strategies.library.reversion.parameters import ReversionParameters
from moondev.domain.market_data import BarSeries, Column


@dataclass(frozen=True, slots=True)
class Stretch:
    """The mean, the deviation around it and the distance from it in deviations, for each bar."""

    mean: Column
    deviation: Column
    z: Column


def stretch(bars: BarSeries, params: ReversionParameters) -> Stretch:
    """Return how far each close is from the mean that `params` names."""
    if params.signal == "vwap":
        mean, deviation = session_vwap(bars, params.length)
    else:
        mean, deviation = mean_and_deviation(bars.close, params.length)
    return Stretch(mean, deviation, standardised(bars.close, mean, deviation))


class ReversionRules:
    """Fade what went too far, between a stop and the mean."""

    def __init__(self, params: ReversionParameters) -> None:
        """Judge by `params`."""
        self._params = params

    def entry(self, scene: Scene) -> tuple[Entry | None, str]:
        """Return the trade that the newest bar calls for, or None and what spoke against it."""
        params, far = self._params, stretch(scene.bars, self._params)
        trend = self._trend(scene)
        direction = self._direction(far, scene, trend)
        if direction is None:
            return None, ""
        against = self._against(direction, far, scene, trend)
        if against:
            return None, f"{params.signal}: {against}"
        hold, problem = self._hold_bars(scene)
        if problem:
            return None, f"{params.signal}: {problem}"
        return self._planned(direction, far, scene, hold), ""

    def leave(self, direction: Direction, scene: Scene) -> str:
        """Return that the price is back at the mean; empty while it is not."""
        if not self._params.leave_at_mean:
            return ""
        z = float(stretch(scene.bars, self._params).z[-1])
        return f"back at the mean, z {z:.2f}" if direction * z >= -self._params.exit_z else ""

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        """Return the bracket that an entry at `price` would have had."""
        return self._bracket(direction, price, stretch(scene.bars, self._params))

    def _direction(self, far: Stretch, scene: Scene, trend: float) -> Direction | None:
        """Return the side that the newest bar calls for by its distance alone."""
        z, limit = far.z, self._params.entry_z
        if self._params.signal == "pullback":
            sign = float(np.sign(trend))
            return _side(sign) if sign * (scene.close - float(far.mean[-1])) <= 0 else None
        if self._params.signal == "bollinger":
            returned = abs(z[-2]) >= limit > abs(z[-1]) and z[-2] * z[-1] > 0
            return _side(-z[-2]) if returned else None
        return _side(-z[-1]) if abs(z[-1]) >= limit else None

    def _trend(self, scene: Scene) -> float:
        """Return how far the close is above the mean of the longer bars; NaN when that is not known, 0 without."""
        if self._params.trend_bar is None:
            return 0.0
        longer = scene.closed_by_now(self._params.trend_bar)
        if longer is None or len(longer) < self._params.trend_bars:
            return math.nan
        return scene.close - float(longer.close[-self._params.trend_bars :].mean())

    def _against(self, direction: Direction, far: Stretch, scene: Scene, trend: float) -> str:
        """Return what speaks against a trade of `direction`; empty when nothing does."""
        params = self._params
        if params.stop_z and -direction * float(far.z[-1]) >= params.stop_z:
            return f"z {far.z[-1]:.2f} lies beyond the stop"
        if params.trend_bar is not None and not direction * trend > 0:
            return f"the {params.trend_interval} trend is {'not known' if math.isnan(trend) else 'against it'}"
        if params.rsi_oversold and not _exhausted(direction, scene.bars.close, params):
            return f"RSI is not at {params.rsi_oversold:g} or {100 - params.rsi_oversold:g}"
        if params.confirm_bar is not None and not _confirmed(direction, scene, params.confirm_bar):
            return f"no {params.confirm_interval} bar confirms it"
        return ""

    def _hold_bars(self, scene: Scene) -> tuple[int, str]:
        """Return how long the trade may last, and why there should be none when the price does not revert."""
        params = self._params
        if not params.hold_half_lives:
            return params.max_hold_bars, ""
        bars = half_life(np.log(scene.bars.close[-params.half_life_bars :]))
        if not 1 < bars < params.half_life_bars:
            return 0, f"a half-life of {bars:.1f} bars is not between 1 and {params.half_life_bars}"
        hold = math.ceil(params.hold_half_lives * bars)
        return min(hold, params.max_hold_bars or hold), ""

    def _planned(self, direction: Direction, far: Stretch, scene: Scene, hold_bars: int) -> Entry:
        params, price = self._params, scene.close
        if params.entry_offset_percent:
            limit = float(far.mean[-1]) * (1 - direction * params.entry_offset_percent / 100)
            # Where the market is better than the limit already, the bracket belongs around the market.
            price = min(limit, price) if direction > 0 else max(limit, price)
        return Entry(
            direction=direction,
            label=params.signal,
            price=price,
            bracket=self._bracket(direction, price, far),
            strength=abs(float(far.z[-1])) if math.isfinite(far.z[-1]) else 0.0,
            rests=bool(params.entry_offset_percent),
            follows_fill=not params.stop_z,
            valid_bars=params.entry_valid_bars,
            hold_bars=hold_bars,
        )

    def _bracket(self, direction: Direction, price: float, far: Stretch) -> Bracket:
        """Return the nearer of the stops that are set, and the profit that is taken."""
        params = self._params
        stops = []
        if params.stop_percent:
            stops.append(price * (1 - direction * params.stop_percent / 100))
        if params.stop_z and math.isfinite(far.deviation[-1]):
            stops.append(float(far.mean[-1] - direction * params.stop_z * far.deviation[-1]))
        gain = params.take_profit_percent / 100
        nearest = max if direction > 0 else min
        return Bracket(nearest(stops, default=None), price * (1 + direction * gain) if gain else None)


def _side(sign: float) -> Direction | None:
    """Return the direction of a number that is not 0; None for 0 and NaN."""
    if sign > 0:
        return 1
    return -1 if sign < 0 else None


def _exhausted(direction: Direction, close: Column, params: ReversionParameters) -> bool:
    strength = float(talib.RSI(close, timeperiod=params.rsi_bars)[-1])
    return strength <= params.rsi_oversold if direction > 0 else strength >= 100 - params.rsi_oversold


def _confirmed(direction: Direction, scene: Scene, interval: timedelta) -> bool:
    bars = scene.bars if interval == scene.bars.interval else scene.closed_by_now(interval)
    return bars is not None and len(bars) > 1 and bool(direction * (bars.close[-1] - bars.close[-2]) > 0)
