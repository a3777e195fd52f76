"""Follow the leader: when it has moved, trade what should have moved with it and has not yet."""

from __future__ import annotations

import math
from typing import Literal

from apps.strategies.indicators.channels import prior_highest, prior_lowest
from apps.strategies.indicators.true_range import average_true_range
from apps.strategies.library.bracketed.rules import Bracket, Direction, Entry
from apps.strategies.library.bracketed.scene import Scene
from apps.strategies.library.relation.alignment import together
from apps.strategies.library.relation.parameters import CorrelationParameters
from moondev.domain.market_data import BarSeries

WHOLE_PERCENT = 100


def leader_signal(bars: BarSeries, params: CorrelationParameters) -> Literal[-1, 0, 1]:
    """Return 1 when the newest bar closed up by more than its range or above its channel, -1 mirrored, else 0.

    Range and channel are those of the bars before it.
    """
    ranges = average_true_range(bars.high, bars.low, bars.close, params.atr_bars)
    move, close = float(bars.close[-1] - bars.close[-2]), float(bars.close[-1])
    far = params.move_atr * float(ranges[-2])
    up = move > far or close > float(prior_highest(bars.high, params.breakout_bars)[-1])
    down = -move > far or close < float(prior_lowest(bars.low, params.breakout_bars)[-1])
    if up == down:
        return 0
    return 1 if up else -1


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
        usual = pair.returns(self.params.correlation_bars, before=1)
        if not usual.correlation >= self.params.min_correlation:
            return None, f"correlation {usual.correlation:.2f} is below {self.params.min_correlation:g}: standing aside"
        beta = usual.beta if self.params.lag_by == "beta" else 1.0
        moved = float(pair.y[-1] - pair.y[-2])
        lag = self.direction * (beta * float(pair.x[-1] - pair.x[-2]) - moved)
        if not lag > self.params.min_edge_percent / WHOLE_PERCENT:
            return None, ""
        return self._entry(self.direction, lag, scene)

    def leave(self, direction: Direction, scene: Scene) -> str:
        """Return why a trade is over: the leader turned, or the relation broke."""
        if self.direction == -direction:
            return "the leader moved the other way"
        pair, _ = together(scene.bars, self.leader, self.params.minimum_bars)
        if pair is None:
            return ""
        # Of ranks: the lag that was bought is itself a bar on which the two did not move together.
        correlation = pair.agreement(self.params.correlation_bars)
        if correlation < self.params.exit_correlation:
            return f"the relation broke: correlation {correlation:.2f}"
        return ""

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        """Return the bracket of a position at `price` that no trade explains."""
        goal = self.params.take_profit_percent / WHOLE_PERCENT
        return Bracket(self._stop(direction, price, scene), price * (1 + direction * goal) if goal else None)

    def _entry(self, direction: Direction, lag: float, scene: Scene) -> tuple[Entry | None, str]:
        close = scene.close
        stop = self._stop(direction, close, scene)
        if not stop > 0 or stop == close:
            return None, f"no stop can be set {self.params.stop_atr:g} ranges from {close:g}"
        goal = self.params.take_profit_percent / WHOLE_PERCENT
        caught_up = math.exp(direction * lag)
        entry = Entry(
            direction=direction,
            label=f"lag:{'long' if direction > 0 else 'short'}",
            price=close,
            bracket=Bracket(stop, close * (1 + direction * goal if goal else caught_up)),
            strength=lag,
            rests=self.params.entry == "limit",
            follows_fill=goal > 0,
            hold_bars=self.params.max_hold_bars,
        )
        return entry, ""

    def _stop(self, direction: Direction, price: float, scene: Scene) -> float:
        if self.params.stop_percent:
            return price * (1 - direction * self.params.stop_percent / WHOLE_PERCENT)
        bars = scene.bars
        ranges = average_true_range(bars.high, bars.low, bars.close, self.params.atr_bars)
        return price - direction * self.params.stop_atr * float(ranges[-1])
