"""Follow the leader: when it has moved, trade what should have moved with it and has not yet."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from apps.strategies.indicators.channels import prior_highest, prior_lowest
from apps.strategies.indicators.true_range import average_true_range
from apps.strategies.indicators.wilder import average_true_range_within
from apps.strategies.library.bracketed.rules import Bracket, Direction, Entry
from apps.strategies.library.bracketed.scene import Scene
from apps.strategies.library.relation.alignment import Together, together
from apps.strategies.library.relation.parameters import CorrelationParameters
from moondev.domain.market_data import BarSeries, Column

WHOLE_PERCENT = 100


def leader_signal(bars: BarSeries, params: CorrelationParameters) -> Literal[-1, 0, 1]:
    """Return 1 when the newest bar closed up by more than its range or above its channel, -1 mirrored, else 0.

    Range and channel are those of the bars before it.
    """
    signal = int(leader_signals(bars, params, len(bars))[-1])
    return 0 if signal == 0 else (1 if signal > 0 else -1)


def leader_signals(bars: BarSeries, params: CorrelationParameters, window: int) -> Column:
    """Return the same for each bar, told by the `window` bars that end with it."""
    ranges = average_true_range_within(bars.high, bars.low, bars.close, params.atr_bars, window - 1)
    far = params.move_atr * np.concatenate(([np.nan], ranges[:-1]))
    move = np.diff(bars.close, prepend=np.nan)
    up = (move > far) | (bars.close > prior_highest(bars.high, params.breakout_bars))
    down = (-move > far) | (bars.close < prior_lowest(bars.low, params.breakout_bars))
    return up.astype(np.float64) - down


class LeadLagRules:
    """What of the followers to trade, seen from one state of the leader."""

    def __init__(self, leader: BarSeries, params: CorrelationParameters) -> None:
        """Look at the closed bars of the leader, which are the same for every follower."""
        self.leader, self.params = leader, params
        self.direction = leader_signal(leader, params)

    def entry(self, scene: Scene) -> tuple[Entry | None, str]:
        """Return a trade in the leader's direction when this market has still to follow, the more the stronger."""
        if self.direction == 0:
            return None, ""
        pair, problem = together(scene.bars, self.leader, self.params.minimum_bars)
        if pair is None:
            return None, problem
        if not scene.bars.volume[-1] > 0:
            return None, "nothing was traded in its newest bar: its close is an old one"
        lag, problem = lagging(pair, self.direction, self.params)
        return (None, problem) if lag is None else self._entry(self.direction, lag, scene)

    def leave(self, direction: Direction, scene: Scene) -> str:
        """Return why a trade is over: the leader turned, or the relation broke."""
        if self.direction == -direction:
            return "the leader moved the other way"
        pair, _ = together(scene.bars, self.leader, self.params.minimum_bars)
        if pair is None:
            return ""
        # Of ranks: the lag that was bought is itself a bar on which the two did not move together.
        correlation = pair.agreement(self.params.correlation_bars)
        return f"the relation broke: correlation {correlation:.2f}" if broken(correlation, self.params) else ""

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        """Return the bracket of a position at `price` that no trade explains."""
        goal = self.params.take_profit_percent / WHOLE_PERCENT
        return Bracket(self._stop(direction, price, scene), price * (1 + direction * goal) if goal else None)

    def _entry(self, direction: Direction, lag: float, scene: Scene) -> tuple[Entry | None, str]:
        close = scene.close
        stop = self._stop(direction, close, scene)
        if not stop > 0 or stop == close:
            return None, f"no stop can be set {self.params.stop_atr:g} ranges from {close:g}"
        entry = Entry(
            direction=direction,
            label=f"lag:{'long' if direction > 0 else 'short'}",
            price=close,
            bracket=Bracket(stop, goal_of(direction, close, lag, self.params)),
            strength=lag,
            rests=self.params.entry == "limit",
            follows_fill=self.params.take_profit_percent > 0,
            hold_bars=self.params.max_hold_bars,
        )
        return entry, ""

    def _stop(self, direction: Direction, price: float, scene: Scene) -> float:
        bars = scene.bars
        ranges = average_true_range(bars.high, bars.low, bars.close, self.params.atr_bars)
        return float(stop_of(direction, price, float(ranges[-1]), self.params))


def lagging(pair: Together, direction: int, params: CorrelationParameters) -> tuple[float | None, str]:
    """Return by how much y has still to follow x in `direction` (log), or None and why nothing is to be had of it."""
    usual = pair.returns(params.correlation_bars, before=1)
    if not usual.correlation >= params.min_correlation:
        return None, f"correlation {usual.correlation:.2f} is below {params.min_correlation:g}: standing aside"
    beta = usual.beta if params.lag_by == "beta" else 1.0
    moved = float(pair.y[-1] - pair.y[-2])
    lag = direction * (beta * float(pair.x[-1] - pair.x[-2]) - moved)
    return (lag, "") if lag > params.min_edge_percent / WHOLE_PERCENT else (None, "")


def broken(correlation: float, params: CorrelationParameters) -> bool:
    """Return whether two markets no longer belong together."""
    return correlation < params.exit_correlation


def stop_of(direction: float, price: float, average_range: float, params: CorrelationParameters) -> float:
    """Return the stop of an entry at `price`."""
    if params.stop_percent:
        return price * (1 - direction * params.stop_percent / WHOLE_PERCENT)
    return price - direction * params.stop_atr * average_range


def goal_of(direction: float, price: float, lag: float, params: CorrelationParameters) -> float:
    """Return the take-profit of an entry at `price`: at a fixed distance, or where the lag is caught up."""
    goal = params.take_profit_percent / WHOLE_PERCENT
    return price * (1 + direction * goal if goal else math.exp(direction * lag))
