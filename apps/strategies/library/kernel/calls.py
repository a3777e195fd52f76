"""What a bar calls for, from one bar's numbers or from whole columns of them alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apps.strategies.library.kernel.parameters import KernelParameters
from moondev.domain.market_data import Column

Number = float | Column

# What began a trade, in the order in which one goes before another; the first is nothing.
KINDS = ("", "turn", "touch", "extreme")
ENOUGH = 1


class Events(NamedTuple):
    """What happened: turns and touches (1 up or below, -1 down or above), and StochRSI's crossings.

    `oversold` and `overbought` count them within the newest `extreme_bars`; `fell` and `rose` are those of the bar.
    """

    turn: Number
    touch: Number
    oversold: Number
    overbought: Number
    fell: Number
    rose: Number


def called_for(events: Events, params: KernelParameters) -> tuple[Column, Column]:
    """Return the number in KINDS of what a bar calls for, and its direction: 1, -1, or 0 for nothing."""
    turn = np.asarray(events.turn) * _heard(events.turn, events, params) * (params.entry in {"turn", "either"})
    touch = np.asarray(events.touch) * _heard(events.touch, events, params) * (params.entry != "turn")
    extreme = np.zeros_like(touch, dtype=np.float64)
    if params.stochastic == "open":
        one_sided = np.greater_equal(events.oversold, ENOUGH) != np.greater_equal(events.overbought, ENOUGH)
        # Only the bar of the crossing itself opens, else the trade that it lost would begin anew at once.
        extreme = np.where(np.greater(events.fell, 0), 1.0, np.where(np.greater(events.rose, 0), -1.0, 0.0)) * one_sided
    kind = np.where(turn != 0, 1, np.where(touch != 0, 2, np.where(extreme != 0, 3, 0)))
    return kind, np.where(turn != 0, turn, np.where(touch != 0, touch, extreme))


def back_at_estimate(direction: Number, close: Number, smooth: Number) -> NDArray[np.bool_]:
    """Return whether a trade that began outside the envelope has what it came for."""
    return np.asarray(np.greater_equal(direction * (close - smooth), 0))


def stop_of(direction: Number, close: Number, distance: Number) -> Number:
    """Return the stop of an entry at `close`; 0 for none."""
    return np.where(np.greater(distance, 0), close - direction * distance, 0.0)


def weight_of(price: Number, distance: Number, leverage: float, params: KernelParameters) -> Column:
    """Return the share of the allocation with which a loss of `distance` a unit costs `risk_percent` of the equity.

    At most `max_weight`; a distance of 0 is no stop, and the weight is then that.
    """
    risked = np.where(np.greater(distance, 0), distance, np.inf)
    by_risk = params.risk_percent / 100 * price / (risked * leverage)
    return np.where(np.greater(distance, 0), np.minimum(params.max_weight, by_risk), params.max_weight)


def _heard(direction: Number, events: Events, params: KernelParameters) -> NDArray[np.bool_]:
    """Return whether StochRSI lets a signal of `direction` count."""
    recent = np.where(np.greater(direction, 0), events.oversold, events.overbought)
    return np.asarray(np.logical_or(params.stochastic != "confirm", recent >= ENOUGH))
