"""When a price is too far from its mean, when it is back, and what else has to agree."""

from __future__ import annotations

import math
from datetime import timedelta

import talib

from apps.strategies.indicators.moving import moving_mean
from apps.strategies.library.bracketed.rules import Bracket, Direction, Entry, direction_of, known
from apps.strategies.library.bracketed.scene import Scene
from apps.strategies.library.reversion import measures
from apps.strategies.library.reversion.measures import Stretch, stretch
from apps.strategies.library.reversion.parameters import ReversionParameters


class ReversionRules:
    """Fade what went too far, between a stop and the mean."""

    def __init__(self, params: ReversionParameters) -> None:
        """Judge by `params`."""
        self._params = params

    def entry(self, scene: Scene) -> tuple[Entry | None, str]:
        """Return the trade that the newest bar calls for, or None and what spoke against it."""
        params, far = self._params, stretch(scene.bars, self._params)
        trend = self._trend(scene)
        direction = direction_of(measures.called_for(far, scene.bars.close, trend, params)[-1])
        if direction is None:
            return None, ""
        against = self._against(direction, far, scene, trend)
        if against:
            return None, f"{params.signal}: {against}"
        hold, problem = measures.hold_bars(scene.bars.close, params)
        if problem:
            return None, f"{params.signal}: {problem}"
        return self._planned(direction, far, scene, hold), ""

    def leave(self, direction: Direction, scene: Scene) -> str:
        """Return that the price is back at the mean; empty while it is not."""
        z = float(stretch(scene.bars, self._params).z[-1])
        return f"back at the mean, z {z:.2f}" if measures.back_at_mean(direction, z, self._params) else ""

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        """Return the bracket that an entry at `price` would have had."""
        return self._bracket(direction, price, stretch(scene.bars, self._params))

    def _trend(self, scene: Scene) -> float:
        """Return how far the close is above the mean of the longer bars; NaN when that is not known, 0 without."""
        if self._params.trend_bar is None:
            return 0.0
        longer = scene.closed_by_now(self._params.trend_bar)
        if longer is None or len(longer) < self._params.trend_bars:
            return math.nan
        return scene.close - float(moving_mean(longer.close, self._params.trend_bars)[-1])

    def _against(self, direction: Direction, far: Stretch, scene: Scene, trend: float) -> str:
        """Return what speaks against a trade of `direction`; empty when nothing does."""
        params = self._params
        if measures.beyond_stop(direction, float(far.z[-1]), params):
            return f"z {far.z[-1]:.2f} lies beyond the stop"
        if measures.against_trend(direction, trend, params):
            return f"the {params.trend_interval} trend is {'not known' if math.isnan(trend) else 'against it'}"
        if params.rsi_oversold:
            strength = float(talib.RSI(scene.bars.close, timeperiod=params.rsi_bars)[-1])
            if not measures.exhausted(direction, strength, params):
                return f"RSI is not at {params.rsi_oversold:g} or {100 - params.rsi_oversold:g}"
        if params.confirm_bar is not None and not _confirmed(direction, scene, params.confirm_bar):
            return f"no {params.confirm_interval} bar confirms it"
        return ""

    def _planned(self, direction: Direction, far: Stretch, scene: Scene, hold_bars: int) -> Entry:
        params = self._params
        price = float(measures.entry_price(direction, scene.close, float(far.mean[-1]), params))
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
        stop, target = measures.levels(direction, price, far.mean[-1], far.deviation[-1], self._params)
        return Bracket(known(stop), known(target))


def _confirmed(direction: Direction, scene: Scene, interval: timedelta) -> bool:
    bars = scene.bars if interval == scene.bars.interval else scene.closed_by_now(interval)
    return bars is not None and len(bars) > 1 and bool(direction * (bars.close[-1] - bars.close[-2]) > 0)
