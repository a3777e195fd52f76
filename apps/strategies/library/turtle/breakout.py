"""Breakouts of the channel before the bar, and the virtual trades that filter the faster ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from apps.strategies.indicators.channels import prior_highest, prior_lowest
from apps.strategies.library.columns import grid_of
from apps.strategies.library.turtle.parameters import TurtleParameters
from apps.strategies.signals import Past, Rows
from moondev.domain.market_data import BarSeries, Column

Trigger = Literal["extreme", "close"]


@dataclass(frozen=True, slots=True)
class VirtualTrade:
    """One breakout of system 1 as if every one had been taken with one unit.

    `index` is the bar of the breakout; `won` is None while it is open. Won means that the opposite
    exit channel was left at a profit before the price went `stop_n` x N against the entry.
    """

    index: int
    direction: int
    entry: float
    stop: float
    won: bool | None = None


@dataclass(frozen=True, slots=True)
class VirtualRules:
    """What the virtual trades follow: channel lengths in bars, the stop in N, and the trigger."""

    entry_bars: int = 20
    exit_bars: int = 10
    stop_n: float = 2.0
    trigger: Trigger = "extreme"


def breakouts(bars: BarSeries, length: int, trigger: Trigger = "extreme") -> Column:
    """Return +1, -1 or 0 for each bar: did it leave the channel of the `length` bars before it?

    With the trigger "close" the close has to lie outside, else the high or low is enough. A bar
    that leaves on both sides counts as up when it closed at or above its open, else as down.
    """
    tops, bottoms = (bars.high, bars.low) if trigger == "extreme" else (bars.close, bars.close)
    up = tops > prior_highest(bars.high, length)
    down = bottoms < prior_lowest(bars.low, length)
    both = np.where(bars.close >= bars.open, 1.0, -1.0)
    return np.where(up & down, both, up.astype(float) - down.astype(float))


def may_begin(past: Past, params: TurtleParameters) -> Rows:
    """Return the base bars at whose close any of the systems breaks out: at no other does a trade begin.

    What the filter of the faster system would skip is among them.
    """
    bars = past.bars(params.bar)
    out = [breakouts(bars, params.entry_bars(system), params.signal_on) != 0 for system in params.systems]
    known = np.arange(len(bars)) >= params.minimum_bars - 1
    return grid_of(past, params.bar).marked(np.logical_or.reduce(out) & known)


def virtual_trades(bars: BarSeries, n: Column, rules: VirtualRules) -> tuple[VirtualTrade, ...]:
    """Return every trade that system 1 would have made on `bars`, oldest first.

    Entered at the channel (at the open after a gap; at the close when that is the trigger) with
    the N known before the bar. Where stop and exit, or stop and breakout, share a bar the stop
    comes first.
    """
    signals = breakouts(bars, rules.entry_bars, rules.trigger)
    return tuple(_Replay(bars, n, rules).trades(signals.tolist()))


class _Replay:
    """Columns as plain lists: the walk below reads single values, which arrays do slowly."""

    def __init__(self, bars: BarSeries, n: Column, rules: VirtualRules) -> None:
        self.rules = rules
        self.n: list[float] = n.tolist()
        self.open: list[float] = bars.open.tolist()
        self.high: list[float] = bars.high.tolist()
        self.low: list[float] = bars.low.tolist()
        self.close: list[float] = bars.close.tolist()
        self.top: list[float] = prior_highest(bars.high, rules.entry_bars).tolist()
        self.bottom: list[float] = prior_lowest(bars.low, rules.entry_bars).tolist()
        self.exit_top: list[float] = prior_highest(bars.high, rules.exit_bars).tolist()
        self.exit_bottom: list[float] = prior_lowest(bars.low, rules.exit_bars).tolist()

    def trades(self, signals: list[float]) -> Iterator[VirtualTrade]:
        trade: VirtualTrade | None = None
        for index in range(1, len(signals)):
            if trade is not None:
                trade = self._followed(trade, index)
            if trade is not None and trade.won is not None:
                yield trade
                trade = None
            # A NaN of N compares unequal to itself: before N is known there is no trade.
            if trade is None and signals[index] and self.n[index - 1] == self.n[index - 1]:
                trade = self._opened(int(signals[index]), index)
        if trade is not None:
            yield trade

    def _opened(self, direction: int, index: int) -> VirtualTrade:
        entry = self._entry(direction, index)
        stop = entry - direction * self.rules.stop_n * self.n[index - 1]
        trade = VirtualTrade(index, direction, entry, stop)
        if self.rules.trigger == "extreme" and self._stopped(trade, index):
            return self._closed(trade, won=False)
        return trade

    def _entry(self, direction: int, index: int) -> float:
        if self.rules.trigger == "close":
            return self.close[index]
        if direction > 0:
            return max(self.open[index], self.top[index])
        return min(self.open[index], self.bottom[index])

    def _followed(self, trade: VirtualTrade, index: int) -> VirtualTrade:
        if trade.won is not None:
            return trade
        if self._stopped(trade, index):
            return self._closed(trade, won=False)
        exit_price = self._exit_price(trade, index)
        if exit_price is None:
            return trade
        return self._closed(trade, won=trade.direction * (exit_price - trade.entry) > 0)

    def _exit_price(self, trade: VirtualTrade, index: int) -> float | None:
        if trade.direction > 0:
            left = self.low[index] < self.exit_bottom[index]
            return min(self.open[index], self.exit_bottom[index]) if left else None
        left = self.high[index] > self.exit_top[index]
        return max(self.open[index], self.exit_top[index]) if left else None

    def _stopped(self, trade: VirtualTrade, index: int) -> bool:
        if trade.direction > 0:
            return self.low[index] <= trade.stop
        return self.high[index] >= trade.stop

    @staticmethod
    def _closed(trade: VirtualTrade, *, won: bool) -> VirtualTrade:
        return VirtualTrade(trade.index, trade.direction, trade.entry, trade.stop, won)
