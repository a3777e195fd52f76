"""What the rules look at: the estimate, its envelope, StochRSI and the average true range, on closed bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.strategies.indicators.nadaraya_watson import (
    gaussian_weights,
    mean_absolute_error,
    one_sided,
    rational_quadratic_weights,
)
from apps.strategies.indicators.stochastic_rsi import crossings, stochastic_rsi
from apps.strategies.indicators.true_range import average_true_range
from apps.strategies.library.kernel.parameters import KernelParameters
from moondev.domain.market_data import BarSeries, Column

# A slope below this share of the price is rounding, not a slope.
FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class Estimates:
    """One column each, a value per bar: prices in quote currency, crossings 0 or 1."""

    smooth: Column
    lower: Column
    upper: Column
    atr: Column
    oversold: Column
    overbought: Column

    @property
    def turn(self) -> int:
        """Return 1 when the estimate turned up with the newest bar, -1 when it turned down, else 0."""
        return int(turns(self.smooth)[-1])

    def extremes(self, bars: int) -> tuple[float, float]:
        """Return how often, within the newest `bars`, StochRSI became oversold and how often overbought."""
        return float(self.oversold[-bars:].sum()), float(self.overbought[-bars:].sum())

    def touches(self, bars: BarSeries) -> Column:
        """Return 1 for each bar that reached below the envelope and -1 for one above; 0 for none and for both."""
        return (bars.low <= self.lower).astype(float) - (bars.high >= self.upper)


def turns(smooth: Column, within: int | None = None) -> Column:
    """Return 1 for each bar with which the estimate turned up, -1 with which it turned down, else 0.

    A flat stretch is no slope: what counts is the last steep one before it, at most `within` bars ago.
    """
    slopes = np.diff(smooth, prepend=np.nan)
    signs = np.nan_to_num(np.where(np.abs(slopes) <= FLAT * smooth, 0.0, np.sign(slopes)))
    numbers = np.arange(len(signs))
    steep = np.maximum.accumulate(np.where(signs != 0, numbers, -1))
    before = np.concatenate(([-1], steep[:-1]))
    known = (before >= 0) & (numbers - before <= (len(signs) if within is None else within))
    return np.where(known & (signs * signs[before] < 0), signs, 0.0)


def estimates(bars: BarSeries, params: KernelParameters) -> Estimates:
    """Return the columns of `bars`; each value is made of its own bar and earlier ones alone."""
    smooth = one_sided(bars.close, _weights(params))
    atr = average_true_range(bars.high, bars.low, bars.close, params.atr_bars)
    error = mean_absolute_error(bars.close, smooth, params.window_bars) if params.envelope == "mean_error" else atr
    momentum = stochastic_rsi(bars.close, params.rsi_bars, params.stochastic_bars)
    return Estimates(
        smooth=smooth,
        lower=smooth - params.envelope_multiple * error,
        upper=smooth + params.envelope_multiple * error,
        atr=atr,
        oversold=crossings(momentum, params.extreme_level, -1),
        overbought=crossings(momentum, 100 - params.extreme_level, 1),
    )


def _weights(params: KernelParameters) -> Column:
    if params.kernel == "gaussian":
        return gaussian_weights(params.window_bars, params.bandwidth_bars)
    return rational_quadratic_weights(params.window_bars, params.bandwidth_bars, params.relative_weight)
