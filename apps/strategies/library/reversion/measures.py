"""The rules of mean reversion bar by bar: each takes one bar's numbers or whole columns of them alike.

Directions are 1 for long, -1 for short and 0 for neither; what is not known is NaN and calls for nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.strategies.indicators.half_life import half_life
from apps.strategies.indicators.session_vwap import session_vwap
from apps.strategies.indicators.z_score import mean_and_deviation, standardised
from apps.strategies.library.reversion.parameters import ReversionParameters
from moondev.domain.market_data import BarSeries, Column

Number = float | Column
Truth = bool | np.bool_ | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The mean, the deviation around it and the distance from it in deviations, for each bar."""

    mean: Column
    deviation: Column
    z: Column


class Levels(NamedTuple):
    """Stop and take-profit; NaN for none."""

    stop: Number
    target: Number


def stretch(bars: BarSeries, params: ReversionParameters) -> Stretch:
    """Return how far each close is from the mean that `params` names."""
    if params.signal == "vwap":
        mean, deviation = session_vwap(bars, params.length)
    else:
        mean, deviation = mean_and_deviation(bars.close, params.length)
    return Stretch(mean, deviation, standardised(bars.close, mean, deviation))


def called_for(far: Stretch, close: Column, trend: Number, params: ReversionParameters) -> Column:
    """Return the side that each bar calls for by its distance alone; `trend` as `against_trend` has it."""
    z, limit = far.z, params.entry_z
    if params.signal == "pullback":
        sign = np.nan_to_num(np.sign(trend))
        return np.asarray(np.where(sign * (close - far.mean) <= 0, sign, 0.0), dtype=np.float64)
    if params.signal == "bollinger":
        before = np.concatenate(([np.nan], z[:-1]))
        returned = (np.abs(before) >= limit) & (limit > np.abs(z)) & (before * z > 0)
        return np.where(returned, -np.sign(before), 0.0)
    return np.where(np.abs(z) >= limit, -np.sign(z), 0.0)


def beyond_stop(direction: Number, z: Number, params: ReversionParameters) -> Truth:
    """Return whether the price has passed the stop that a trade would have."""
    return params.stop_z > 0 and -direction * z >= params.stop_z


def against_trend(direction: Number, trend: Number, params: ReversionParameters) -> Truth:
    """Return whether the longer bars say otherwise: `trend` is the close less their mean, NaN when not known."""
    return np.logical_not(direction * trend > 0) if params.trend_bar is not None else False


def exhausted(direction: Number, strength: Number, params: ReversionParameters) -> Truth:
    """Return whether the relative strength index is at the end from which prices turn."""
    return np.where(
        np.greater(direction, 0), strength <= params.rsi_oversold, np.greater_equal(strength, 100 - params.rsi_oversold)
    )


def entry_price(direction: Number, close: Number, mean: Number, params: ReversionParameters) -> Number:
    """Return what to enter at: the limit beyond the mean, the close where that is better, or the close itself."""
    if not params.entry_offset_percent:
        return close
    limit = mean * (1 - direction * params.entry_offset_percent / 100)
    # Where the market is better than the limit already, the bracket belongs around the market.
    return np.where(np.greater(direction, 0), np.minimum(limit, close), np.maximum(limit, close))


def levels(direction: Number, price: Number, mean: Number, deviation: Number, params: ReversionParameters) -> Levels:
    """Return the nearer of the stops that are set, and the profit that is taken, for an entry at `price`."""
    by_percent = price * (1 - direction * params.stop_percent / 100) if params.stop_percent else np.nan
    by_deviation = mean - direction * params.stop_z * deviation if params.stop_z else np.nan
    long = np.greater(direction, 0)
    stop = np.where(long, np.fmax(by_percent, by_deviation), np.fmin(by_percent, by_deviation))
    gain = params.take_profit_percent / 100
    return Levels(stop, price * (1 + direction * gain) if gain else price * np.nan)


def back_at_mean(direction: Number, z: Number, params: ReversionParameters) -> Truth:
    """Return whether the price has come back to within `exit_z` of the mean, or beyond it."""
    return params.leave_at_mean and direction * z >= -params.exit_z


def hold_bars(close: Column, params: ReversionParameters) -> tuple[int, str]:
    """Return how long a trade begun at the newest of `close` may last, and why there should be none."""
    if not params.hold_half_lives:
        return params.max_hold_bars, ""
    bars = half_life(np.log(close[-params.half_life_bars :]))
    if not 1 < bars < params.half_life_bars:
        return 0, f"a half-life of {bars:.1f} bars is not between 1 and {params.half_life_bars}"
    hold = math.ceil(params.hold_half_lives * bars)
    return min(hold, params.max_hold_bars or hold), ""
