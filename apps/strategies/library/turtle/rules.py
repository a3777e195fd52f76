"""When the Turtle enters, adds and leaves; closed bars only."""

from __future__ import annotations

from typing import Literal

import numpy as np

from apps.strategies.indicators.channels import prior_highest, prior_lowest
from apps.strategies.library.turtle.breakout import VirtualRules, breakouts, virtual_trades
from apps.strategies.library.turtle.memory import Market, Phase, Trade
from apps.strategies.library.turtle.position import touched_exit
from apps.strategies.library.turtle.pyramid import next_entry
from apps.strategies.library.turtle.scene import Scene
from apps.strategies.library.turtle.units import whole_lots

# The planner leaves a tenth of a target unfilled; a unit that lacks more was cut on purpose.
HELD_AT_LEAST = 0.9

Signal = tuple[Literal["s1", "s2"], Literal[-1, 1]]


def decided(market: Market, scene: Scene) -> tuple[Market, str]:
    """Return the market after its newest bars were acted upon, and a note when anything changed.

    A trade that is entering, adding or closing waits for its fills: called again on the same bar
    the answer is the same.
    """
    trade = market.trade
    if trade is None:
        return _entry(market, scene)
    if trade.phase is Phase.CLOSING:
        return market, ""
    if scene.closed_for_weekend:
        return _closing(trade, scene), "flat over the weekend"
    if trade.phase is not Phase.OPEN:
        return market, ""
    return _held(market, trade, scene)


def _held(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    if not scene.since(trade.bar_ms).any():
        return market, ""
    stopped, gained = touched_exit(trade, scene)
    if stopped or gained:
        reason = "stop" if stopped else "take-profit"
        return _closing(trade, scene), f"{trade.signal_id}: {reason} touched"
    if _left_channel(trade, scene):
        return _turned(trade, scene)
    return _pyramid(market, trade, scene)


def _closing(trade: Trade, scene: Scene) -> Market:
    return Market(trade=trade.but(phase=Phase.CLOSING), after_ms=scene.last_ms)


def _left_channel(trade: Trade, scene: Scene) -> bool:
    length = scene.params.exit_bars(trade.system)
    if not length:
        return False
    on_close = scene.params.signal_on == "close"
    if trade.direction > 0:
        prices = scene.bars.close if on_close else scene.bars.low
        outside = prices < prior_lowest(scene.bars.low, length)
    else:
        prices = scene.bars.close if on_close else scene.bars.high
        outside = prices > prior_highest(scene.bars.high, length)
    return bool(np.any(outside & scene.since(trade.bar_ms)))


def _turned(trade: Trade, scene: Scene) -> tuple[Market, str]:
    """Return the market with the trade closing, or with the opposite one when it broke out too."""
    closing = _closing(trade, scene)
    note = f"{trade.signal_id}: left the exit channel"
    signal, _ = _signal(scene)
    if signal is None or signal[1] == trade.direction or not scene.may_open:
        return closing, note
    opened, why_not = _opened(signal, scene)
    if opened is None:
        return closing, f"{note}; {why_not}"
    return Market(trade=opened, after_ms=closing.after_ms), f"{note}; turning to {opened.signal_id}"


def _pyramid(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    seen = trade.but(bar_ms=scene.last_ms)
    waiting = market.model_copy(update={"trade": seen})
    full = trade.units >= scene.params.max_units or trade.revision or _short_of_plan(trade, scene)
    if full or not scene.may_open or not _reached_next(trade, scene):
        return waiting, ""
    units = trade.units + 1
    weight = units * trade.unit_quantity * scene.price / scene.capital.allocation
    if weight > 1:
        return waiting, f"{trade.signal_id}: the allocation has no room for one more unit"
    adding = seen.but(
        phase=Phase.ADDING,
        weights=(*trade.weights, weight),
        base_quantity=scene.quantity,
        base_cost=scene.cost,
    )
    return market.model_copy(update={"trade": adding}), f"{adding.signal_id}: adding a unit"


def _short_of_plan(trade: Trade, scene: Scene) -> bool:
    """Return whether less is held than its units are: a limit has cut them, more would be cut too."""
    return abs(scene.quantity) < HELD_AT_LEAST * trade.units * trade.unit_quantity


def _reached_next(trade: Trade, scene: Scene) -> bool:
    level = next_entry(trade.direction, trade.fills[-1], trade.n, scene.params.add_step_n)
    if scene.params.signal_on == "close":
        return bool(trade.direction * (scene.bars.close[-1] - level) >= 0)
    if trade.direction > 0:
        return bool(scene.bars.high[-1] >= level)
    return bool(scene.bars.low[-1] <= level)


def _entry(market: Market, scene: Scene) -> tuple[Market, str]:
    if scene.last_ms <= market.after_ms:
        return market, ""
    signal, skipped = _signal(scene)
    if signal is None:
        return market, skipped
    if not scene.may_open:
        return market, f"{signal[0]} breakout outside the session or on old bars: not taken"
    trade, why_not = _opened(signal, scene)
    if trade is None:
        return market, why_not
    return market.model_copy(update={"trade": trade}), f"{trade.signal_id}: breakout"


def _signal(scene: Scene) -> tuple[Signal | None, str]:
    """Return the breakout of the newest bar, the faster system first, and a note if one skipped."""
    skipped = ""
    for system in scene.params.systems:
        if system == "s1" and scene.params.skip_s1_after_winner:
            direction, skipped = _filtered_breakout(scene)
        else:
            length = scene.params.entry_bars(system)
            newest = scene.bars.tail(length + 1)
            direction = int(breakouts(newest, length, scene.params.signal_on)[-1])
        if direction:
            return ("s1" if system == "s1" else "s2", 1 if direction > 0 else -1), ""
    return None, skipped


def _filtered_breakout(scene: Scene) -> tuple[int, str]:
    """Return the direction of a fresh fast breakout whose predecessor lost; else 0 and a note."""
    params = scene.params
    rules = VirtualRules(params.s1_entry_bars, params.s1_exit_bars, params.stop_n, params.signal_on)
    trades = virtual_trades(scene.bars, scene.n, rules)
    if not trades or trades[-1].index != len(scene.bars) - 1:
        return 0, ""
    if len(trades) > 1 and trades[-2].won:
        return 0, "s1 breakout skipped: the one before would have won"
    return trades[-1].direction, ""


def _opened(signal: Signal, scene: Scene) -> tuple[Trade | None, str]:
    """Return a new trade of one unit, or None and why there cannot be one."""
    system, direction = signal
    n, close = float(scene.n[-1]), float(scene.bars.close[-1])
    if not n > 0:
        return None, "N is 0: the market does not move"
    unit = scene.unit
    notional = unit * scene.price
    instrument = scene.instrument
    if whole_lots(unit, float(instrument.lot.value)) < 1:
        return None, f"one unit of {unit:g} is below one lot of {instrument.lot}"
    if notional < float(instrument.min_notional.value):
        return None, f"one unit of {notional:g} is below the minimum of {instrument.min_notional}"
    if scene.stop(direction, (close,), n) <= 0:
        return None, f"the stop would lie below zero: N is {n:g} at a price of {scene.price:g}"
    trade = Trade(
        phase=Phase.ENTERING,
        direction=direction,
        system=system,
        signal_ms=scene.last_ms,
        bar_ms=scene.last_ms,
        n=n,
        unit_quantity=unit,
        weights=(min(1.0, notional / scene.capital.allocation),),
        expected=close,
        base_quantity=scene.quantity,
        base_cost=scene.cost,
        settled=scene.settled,
    )
    return trade, ""
