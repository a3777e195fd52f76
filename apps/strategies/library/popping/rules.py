"""Fade the ends of a quiet range, or follow the close that leaves it."""

from __future__ import annotations

import numpy as np
import talib

from apps.strategies.indicators.moving import moving_mean
from apps.strategies.library.bracketed.rules import Bracket, BracketOnly, Direction, Entry, direction_of
from apps.strategies.library.bracketed.scene import Scene
from apps.strategies.library.popping.consolidation import Number, Range, breaks, quiet, range_of, zones
from apps.strategies.library.popping.parameters import PopParameters


class FadeRules(BracketOnly):
    """Buy in the lowest part of a quiet range and sell in the highest, for a move of fixed size."""

    def __init__(self, params: PopParameters) -> None:
        """Judge by `params`."""
        self._params = params

    def entry(self, scene: Scene) -> tuple[Entry | None, str]:
        """Return the trade that the newest close calls for; None in the middle and while it is not quiet."""
        params = self._params
        box = range_of(scene.bars, params.range_bars)
        direction = zone(scene.close, box, params.zone_fraction)
        if direction is None or not quiet(scene.bars, params)[-1]:
            return None, ""
        entry = Entry(
            direction=direction,
            label="fade",
            price=scene.close,
            bracket=self._bracket(direction, scene.close, box),
            # The narrower of two ranges goes first.
            strength=scene.close / float(box.height),
            rests=params.entry_valid_bars > 0,
            follows_fill=params.stop_from == "entry",
            valid_bars=max(1, params.entry_valid_bars),
            hold_bars=params.max_hold_bars,
        )
        return entry, ""

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        """Return the bracket that an entry at `price` would have now."""
        return self._bracket(direction, price, range_of(scene.bars, self._params.range_bars))

    def _bracket(self, direction: Direction, price: float, box: Range) -> Bracket:
        stop, target = faded(direction, price, box, self._params)
        return Bracket(float(stop), float(target))


class BreakoutRules(BracketOnly):
    """Follow a close that leaves a range which was quiet until the bar before, on volume."""

    def __init__(self, params: PopParameters) -> None:
        """Judge by `params`."""
        self._params = params

    def entry(self, scene: Scene) -> tuple[Entry | None, str]:
        """Return the trade in the direction of a break by the newest close, or None and what spoke against it."""
        params, bars = self._params, scene.bars
        if not quiet(bars, params)[-2]:
            return None, ""
        box = range_of(bars, params.range_bars, skipped=1)
        # The true range too ends before the break, which would widen its own threshold.
        margin = params.break_true_ranges * float(talib.ATR(bars.high, bars.low, bars.close, params.atr_bars)[-2])
        direction = beyond(scene.close, box, margin)
        if direction is None or not float(box.height) > 0:
            return None, ""
        usual = float(moving_mean(bars.volume, params.range_bars)[-2])
        if not bars.volume[-1] >= params.volume_ratio * usual:
            return None, f"breakout: volume {bars.volume[-1]:g} is below {params.volume_ratio:g} x {usual:g}"
        entry = Entry(
            direction=direction,
            label="breakout",
            price=scene.close,
            bracket=self._bracket(direction, scene.close, box),
            strength=scene.close / float(box.height),
            hold_bars=params.max_hold_bars,
        )
        return entry, ""

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        """Return the bracket of a break at `price` of a range as high as the newest."""
        height = float(range_of(scene.bars, self._params.range_bars).height)
        return self._bracket(
            direction, price, Range(price, price - height) if direction > 0 else Range(price + height, price)
        )

    def _bracket(self, direction: Direction, price: float, box: Range) -> Bracket:
        stop, target = followed(direction, price, box, self._params)
        return Bracket(float(stop), float(target))


def faded(direction: Number, price: Number, box: Range, params: PopParameters) -> tuple[Number, Number]:
    """Return stop and target of a fade at `price`."""
    end = np.where(np.greater(direction, 0), box.low, box.high)
    start = end if params.stop_from == "range" else price
    stop = start * (1 - direction * params.stop_percent / 100)
    return stop, price * (1 + direction * params.take_profit_percent / 100)


def followed(direction: Number, price: Number, box: Range, params: PopParameters) -> tuple[Number, Number]:
    """Return stop and target of a trade that follows a break of `box` at `price`."""
    return box.middle, price + direction * params.target_ranges * box.height


def zone(price: float, box: Range, fraction: float) -> Direction | None:
    """Return 1 in the lowest `fraction` of the range, -1 in the highest, None between or in no range at all."""
    return direction_of(float(zones(price, box, fraction)))


def beyond(price: float, box: Range, margin: float) -> Direction | None:
    """Return 1 for a price more than `margin` above the range, -1 for one as far below, else None."""
    return direction_of(float(breaks(price, box, margin)))
