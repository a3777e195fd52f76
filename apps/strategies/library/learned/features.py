"""What a model is shown of the market when a trade is about to be opened: a few numbers from the newest closed bars.

Each is computed from the same fixed number of newest bars, never from a running average that remembers its start: the
same bars give the same numbers in training, replay and live, however much past there is.
"""

from __future__ import annotations

import math

import numpy as np

from moondev.domain.market_data import BarSeries

# Every feature looks at these bars and at none before.
FEATURE_BARS = 100
_SHORT, _MIDDLE, _LONG = 5, 20, 80
_DAY_S, _WEEK_S = 86_400, 604_800
# What goes in the direction of the trade is counted as positive for longs and shorts alike.
NAMES = (
    "return_5",
    "return_20",
    "return_80",
    "distance_20",
    "distance_80",
    "position_80",
    "last_range",
    "range_ratio",
    "volatility_ratio",
    "volume_ratio",
    "same_way_20",
    "hour_sin",
    "hour_cos",
    "weekday_sin",
    "weekday_cos",
)


def features(bars: BarSeries, direction: int) -> list[float] | None:
    """Return the features for a trade of `direction` (1 long, -1 short) at the close of the newest bar, as NAMES.

    None when there are fewer than FEATURE_BARS bars. Prices count in average ranges of a bar, so their level and scale
    do not matter.
    """
    if len(bars) < FEATURE_BARS:
        return None
    tail = bars.tail(FEATURE_BARS)
    close, volume = tail.close, tail.volume
    ranges = tail.high - tail.low
    unit = float(ranges[-_MIDDLE:].mean()) or float(close[-1]) * 1e-6
    moves = np.diff(np.log(close))
    lowest, highest = float(tail.low[-_LONG:].min()), float(tail.high[-_LONG:].max())
    middle = (float(close[-1]) - lowest) / (highest - lowest) - 0.5 if highest > lowest else 0.0
    closed_s = int(tail.opened_ms[-1]) / 1000 + tail.interval.total_seconds()
    return [
        *(
            direction * float(close[-1] - close[-1 - back]) / unit / math.sqrt(back)
            for back in (_SHORT, _MIDDLE, _LONG)
        ),
        *(direction * float(close[-1] - close[-count:].mean()) / unit for count in (_MIDDLE, _LONG)),
        direction * middle,
        float(ranges[-1]) / unit,
        _ratio(float(ranges[-_SHORT:].mean()), float(ranges[-_LONG:].mean())),
        _ratio(float(moves[-_MIDDLE:].std()), float(moves[-_LONG:].std())),
        _ratio(float(volume[-_SHORT:].mean()), float(volume[-_LONG:].mean())),
        direction * float(np.sign(moves[-_MIDDLE:]).mean()),
        *_on_circle(closed_s, _DAY_S),
        *_on_circle(closed_s, _WEEK_S),
    ]


def _change(bars: BarSeries, back: int) -> float:
    return float(bars.close[-1] - bars.close[-1 - back])


def _ratio(now: float, usual: float) -> float:
    return now / usual if usual > 0 else 1.0


def _on_circle(moment_s: float, period_s: int) -> tuple[float, float]:
    angle = 2 * math.pi * (moment_s % period_s) / period_s
    return math.sin(angle), math.cos(angle)
