"""How lively the market is, and whether that has just changed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from apps.strategies.indicators.realised_volatility import BPS_IN_ONE, realised_volatility_bps
from moondev.domain.market_data import BarSeries


@dataclass(frozen=True, slots=True)
class Liveliness:
    """Volatility in basis points per square root of a second: usual, of the newest bars, and now.

    `move_bps` is how far the mid has gone since the last close, unsigned; `bar_seconds` the length
    of a bar, against which that move is judged.
    """

    usual: float
    recent: float
    move_bps: float
    bar_seconds: float

    def spiked(self, multiple: float) -> bool:
        """Return whether the newest bars or the move since exceed `multiple` times the usual."""
        limit = multiple * self.usual
        return self.recent > limit or self.move_bps > limit * math.sqrt(self.bar_seconds)


def liveliness(bars: BarSeries, mid: float, spike_bars: int, floor_bps: float) -> Liveliness:
    """Return how lively `bars` were before their newest `spike_bars`, in them, and since.

    `floor_bps` is the least volatility taken as usual, so that a market at rest has one.
    """
    before = len(bars) - spike_bars
    usual = realised_volatility_bps(bars.opened_ms[:before], bars.close[:before])
    recent = realised_volatility_bps(bars.opened_ms[before - 1 :], bars.close[before - 1 :])
    move = BPS_IN_ONE * abs(float(np.log(mid / bars.close[-1])))
    return Liveliness(max(usual, floor_bps), recent, move, bars.interval.total_seconds())
