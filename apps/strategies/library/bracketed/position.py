"""What became of a trade since the last tick: the position is the truth, the memory follows it."""

from __future__ import annotations

import math

import numpy as np

from apps.strategies.library.bracketed.memory import Market, Phase, Trade
from apps.strategies.library.bracketed.rules import Bracket, Direction, Rules
from apps.strategies.library.bracketed.scene import Scene

# Fills in float64 differ from the plan by rounding; below this share nothing has happened.
NOTHING = 1e-9
# The planner leaves a tenth of a target unfilled; what differs by more is another position.
UNDERSIZE, OVERSIZE = 0.90, 1.10


def reconciled(market: Market, scene: Scene, rules: Rules) -> tuple[Market, str]:
    """Return the market as the position shows it, and a note when that was a surprise."""
    trade, quantity = market.trade, scene.quantity
    if trade is None:
        return (market, "") if quantity == 0 else _adopted(market, scene, rules)
    if quantity == 0:
        return _without_position(market, trade, scene)
    if trade.phase is Phase.CLOSING:
        return market, ""
    if math.copysign(1, quantity) != trade.direction:
        return _adopted(market, scene, rules)
    return _with_position(market, trade, scene)


def touched_exit(trade: Trade, scene: Scene) -> tuple[bool, bool]:
    """Return whether a bar not yet acted upon touched the stop, and whether the take-profit.

    A resting entry fills somewhere inside a bar: what that bar reached in favour may have come
    before, so its take-profit counts from the next bar only. Its stop lies beyond the limit and
    can only have come after.
    """
    new = scene.since(trade.bar_ms)
    after = new & scene.since(trade.seen_ms + scene.bar_ms) if trade.rests else new
    bars, stop, goal = scene.bars, trade.stop, trade.take_profit
    if trade.direction > 0:
        stopped = stop is not None and bool(np.any(bars.low[new] <= stop))
        return stopped, goal is not None and bool(np.any(bars.high[after] >= goal))
    stopped = stop is not None and bool(np.any(bars.high[new] >= stop))
    return stopped, goal is not None and bool(np.any(bars.low[after] <= goal))


def _without_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    if trade.phase is Phase.CLOSING:
        return Market(after_ms=market.after_ms), ""
    came_and_went = scene.settled != trade.settled
    if trade.phase is Phase.ENTERING and not came_and_went:
        if scene.bars_since(trade.signal_ms) < trade.valid_bars:
            return market, ""
        return Market(after_ms=trade.signal_ms), f"{trade.signal_id} was not filled in time"
    # Stop first: the bar in which a trade ended opens no other one, be it closed or in progress.
    closed_bar = any(touched_exit(trade, scene))
    after_ms = scene.last_ms if closed_bar else scene.last_ms + scene.bar_ms
    return Market(after_ms=after_ms), f"{trade.signal_id} was closed at the venue"


def _with_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    held = abs(scene.quantity)
    if trade.phase is Phase.ENTERING:
        trade = _filled(trade, scene)
    planned = trade.weight * scene.allocation / trade.price
    waits = trade.rests and not trade.revision and scene.bars_since(trade.signal_ms) < trade.valid_bars
    if held < abs(trade.seen_quantity) * (1 - NOTHING):
        return _revised(market, trade, scene, "smaller")
    if held > max(planned, abs(trade.seen_quantity)) * OVERSIZE:
        return _revised(market, trade, scene, "larger")
    if trade.rests and not waits and not trade.revision and held < planned * UNDERSIZE:
        return _revised(market, trade, scene, "smaller")
    return market.model_copy(update={"trade": trade.but(seen_quantity=scene.quantity)}), ""


def _filled(trade: Trade, scene: Scene) -> Trade:
    """Return the trade with its position, and its bracket around the price paid if that is the rule."""
    bracket = Bracket(trade.stop, trade.take_profit)
    if trade.follows_fill:
        bracket = bracket.moved(_paid(scene) / trade.price)
    return trade.but(
        phase=Phase.OPEN, seen_ms=scene.last_ms, stop=bracket.stop, take_profit=bracket.take_profit, follows_fill=False
    )


def _paid(scene: Scene) -> float:
    return float(scene.holding.cost / scene.holding.quantity)


def _revised(market: Market, trade: Trade, scene: Scene, how: str) -> tuple[Market, str]:
    """Return the trade with the size found, kept as it is from now on: nothing is bought back."""
    revised = trade.but(
        weight=scene.held_weight,
        seen_quantity=scene.quantity,
        price=scene.close,
        rests=False,
        revision=trade.revision + 1,
    )
    note = f"the position is {how} than {trade.signal_id} planned: keeping what is there"
    return market.model_copy(update={"trade": revised}), note


def _adopted(market: Market, scene: Scene, rules: Rules) -> tuple[Market, str]:
    """Return a trade made from a position nobody remembers, guarded by the rules' own bracket."""
    direction: Direction = 1 if scene.quantity > 0 else -1
    bracket = rules.guard(direction, _paid(scene), scene)
    trade = Trade(
        phase=Phase.OPEN,
        direction=direction,
        label="adopted",
        signal_ms=scene.last_ms,
        bar_ms=scene.last_ms,
        seen_ms=scene.last_ms,
        price=scene.close,
        weight=scene.held_weight,
        stop=bracket.stop,
        take_profit=bracket.take_profit,
        seen_quantity=scene.quantity,
        revision=1,
    )
    note = f"found a position of {scene.quantity:g} that no trade explains: adopted with a bracket"
    return Market(trade=trade, after_ms=market.after_ms), note
