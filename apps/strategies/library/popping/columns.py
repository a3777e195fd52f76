"""The consolidation pop over a whole past at once: the same rules as for one bar, a column each."""

from __future__ import annotations

import numpy as np

from apps.strategies.indicators.moving import moving_mean
from apps.strategies.indicators.wilder import average_true_range_within
from apps.strategies.library.bracketed.columns import Calls, signals_of
from apps.strategies.library.popping.consolidation import Number, Range, breaks, quiet, ranges, zones
from apps.strategies.library.popping.parameters import PopParameters
from apps.strategies.library.popping.rules import faded, followed
from apps.strategies.signals import Past, Signals
from moondev.domain.market_data import BarSeries, Column


def pop_signals(past: Past, params: PopParameters) -> Signals:
    """Return what the rules of `params.mode` would answer at every close of `past`."""
    bars = past.bars(params.bar)
    calls = _fades(bars, params) if params.mode == "fade" else _breakouts(bars, params)
    return signals_of(past, calls, params, params.window.fewest)


def _fades(bars: BarSeries, params: PopParameters) -> Calls:
    box = ranges(bars, params.range_bars)
    calm = quiet(bars, params, params.window.most)
    directions = np.where(calm, zones(bars.close, box, params.zone_fraction), 0.0)
    stops, targets = faded(directions, bars.close, box, params)
    return Calls(
        directions=directions,
        prices=bars.close,
        stops=np.asarray(stops),
        targets=np.asarray(targets),
        strengths=_narrowness(bars.close, box),
        hold_bars=np.full(len(bars), params.max_hold_bars),
        rests=params.entry_valid_bars > 0,
        follows_fill=params.stop_from == "entry",
        valid_bars=max(1, params.entry_valid_bars),
    )


def _breakouts(bars: BarSeries, params: PopParameters) -> Calls:
    all_but_the_newest = params.window.most - 1
    calm = quiet(bars, params, all_but_the_newest)
    average = average_true_range_within(bars.high, bars.low, bars.close, params.atr_bars, all_but_the_newest)
    before = ranges(bars, params.range_bars)
    box = Range(_before(before.high), _before(before.low))
    directions = breaks(bars.close, box, params.break_true_ranges * _before(average))
    loud = bars.volume >= params.volume_ratio * _before(moving_mean(bars.volume, params.range_bars))
    taken = (_before(calm.astype(np.float64)) > 0) & np.greater(box.height, 0) & loud
    directions = np.where(taken, directions, 0.0)
    stops, targets = followed(directions, bars.close, box, params)
    return Calls(
        directions=directions,
        prices=bars.close,
        stops=np.asarray(stops),
        targets=np.asarray(targets),
        strengths=_narrowness(bars.close, box),
        hold_bars=np.full(len(bars), params.max_hold_bars),
    )


def _narrowness(close: Column, box: Range) -> Column:
    height = np.asarray(box.height, dtype=np.float64)
    narrow: Column = np.divide(close, height, out=np.zeros(len(close)), where=height > 0)
    return narrow


def _before(values: Number) -> Column:
    """Return for each bar the value of the one before it."""
    column = np.asarray(values, dtype=np.float64)
    return np.concatenate(([np.nan], column[:-1]))
