"""Mean reversion over a whole past at once: the same measures as for one bar, a column each."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from apps.strategies.indicators.moving import moving_mean
from apps.strategies.indicators.wilder import relative_strength_within
from apps.strategies.library.bracketed.columns import Calls, signals_of
from apps.strategies.library.columns import newest_known
from apps.strategies.library.reversion import measures
from apps.strategies.library.reversion.measures import Stretch, stretch
from apps.strategies.library.reversion.parameters import ReversionParameters
from apps.strategies.signals import AtRows, Past, Rows, Signals
from moondev.domain.market_data import BarSeries, Column


def reversion_signals(past: Past, params: ReversionParameters) -> Signals:
    """Return what `ReversionRules` would answer at every close of `past`."""
    bars = past.bars(params.bar)
    far = stretch(bars, params)
    directions = _directions(past, bars, far, params)
    holds = _hold_bars(bars.close, directions, params)
    prices = np.broadcast_to(measures.entry_price(directions, bars.close, far.mean, params), bars.close.shape)
    stops, targets = measures.levels(directions, prices, far.mean, far.deviation, params)
    calls = Calls(
        directions=directions,
        prices=np.asarray(prices, dtype=np.float64),
        stops=np.asarray(stops, dtype=np.float64),
        targets=np.asarray(targets, dtype=np.float64),
        strengths=np.nan_to_num(np.abs(far.z)),
        hold_bars=holds,
        rests=bool(params.entry_offset_percent),
        follows_fill=not params.stop_z,
        valid_bars=params.entry_valid_bars,
        ending=AtRows(_back(1.0, far, params), _back(-1.0, far, params)),
    )
    return signals_of(past, calls, params, params.window.fewest)


def _directions(past: Past, bars: BarSeries, far: Stretch, params: ReversionParameters) -> Column:
    """Return the side of each bar that nothing speaks against, the half-life aside."""
    trend = _trend(past, bars, params)
    directions = measures.called_for(far, bars.close, trend, params)
    against = measures.beyond_stop(directions, far.z, params) | measures.against_trend(directions, trend, params)
    if params.rsi_oversold:
        strength = relative_strength_within(bars.close, params.rsi_bars, params.window.most)
        against = against | ~np.asarray(measures.exhausted(directions, strength, params))
    if params.confirm_bar is not None:
        against = against | ~(directions * _last_change(past, bars, params.confirm_bar) > 0)
    return np.where(against, 0.0, directions)


def _trend(past: Past, bars: BarSeries, params: ReversionParameters) -> Column:
    if params.trend_bar is None:
        return np.zeros(len(bars))
    longer = past.bars(params.trend_bar)
    # Row -1 stands for "not known": the NaN behind the last mean.
    means = np.append(moving_mean(longer.close, params.trend_bars), np.nan)
    mean: Column = means[newest_known(bars, longer)]
    return bars.close - mean


def _last_change(past: Past, bars: BarSeries, interval: timedelta) -> Column:
    """Return how the newest bar of `interval` closed against the one before it; NaN where that is not known."""
    others = past.bars(interval)
    changes = np.full(len(others) + 1, np.nan)
    changes[1:-1] = np.diff(others.close)
    newest = np.arange(len(bars)) if interval == bars.interval else newest_known(bars, others)
    change: Column = changes[newest]
    return change


def _hold_bars(close: Column, directions: Column, params: ReversionParameters) -> NDArray[np.int64]:
    """Return how long the trade of each bar may last; takes the direction away where there should be none."""
    holds = np.full(len(close), params.max_hold_bars, dtype=np.int64)
    if not params.hold_half_lives:
        return holds
    for row in np.flatnonzero(directions).tolist():
        if row + 1 < params.window.fewest:
            continue
        holds[row], problem = measures.hold_bars(close[: row + 1], params)
        if problem:
            directions[row] = 0.0
    return holds


def _back(direction: float, far: Stretch, params: ReversionParameters) -> Rows:
    return np.broadcast_to(np.asarray(measures.back_at_mean(direction, far.z, params)), far.z.shape)
