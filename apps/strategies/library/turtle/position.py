"""What became of a trade since the last tick: the position is the truth, the memory follows it."""

from __future__ import annotations

import math

import numpy as np

from apps.strategies.library.turtle.memory import Market, Phase, Trade
from apps.strategies.library.turtle.scene import Scene

# Fills in float64 differ from the plan by rounding; below this share nothing has happened.
NOTHING = 1e-9
# A position larger than planned by more than this was not bought by this trade.
OVERSIZE = 1.10


def reconciled(market: Market, scene: Scene) -> tuple[Market, str]:
    """Return the market as the position shows it, and a note when that was a surprise."""
    trade, quantity = market.trade, scene.quantity
    if trade is None:
        return (market, "") if quantity == 0 else _adopted(market, scene)
    if quantity == 0:
        return _without_position(market, trade, scene)
    if trade.phase is Phase.CLOSING:
        return market, ""
    if math.copysign(1, quantity) != trade.direction:
        return _against_position(market, trade, scene)
    return _with_position(market, trade, scene)


def touched_exit(trade: Trade, scene: Scene) -> tuple[bool, bool]:
    """Return whether a bar not yet acted upon touched the stop, and whether the take-profit."""
    new = scene.since(trade.bar_ms)
    stop = scene.stop(trade.direction, trade.prices, trade.n)
    target = scene.take_profit(trade.direction, trade.prices)
    if trade.direction > 0:
        against, favour = scene.bars.low[new], scene.bars.high[new]
        return bool(np.any(against <= stop)), target is not None and bool(np.any(favour >= target))
    against, favour = scene.bars.high[new], scene.bars.low[new]
    return bool(np.any(against >= stop)), target is not None and bool(np.any(favour <= target))


def _without_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    if trade.phase is Phase.CLOSING:
        return Market(after_ms=market.after_ms), ""
    if trade.phase is Phase.ENTERING and not _came_and_went(trade, scene):
        if scene.last_ms == trade.signal_ms:
            return market, ""
        return Market(after_ms=trade.signal_ms), f"{trade.signal_id} was not filled within its bar"
    # Stop first: the bar in which a trade ended opens no other one, be it closed or in progress.
    closed_bar = any(touched_exit(trade, scene))
    after_ms = scene.last_ms if closed_bar else scene.last_ms + scene.bar_ms
    return Market(after_ms=after_ms), f"{trade.signal_id} was closed at the venue"


def _came_and_went(trade: Trade, scene: Scene) -> bool:
    """Return whether an entry was filled and closed again between two ticks.

    Realised profit and fees tell; when turning a position round they change anyway.
    """
    return trade.base_quantity == 0 and scene.settled != trade.settled


def _against_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    turning = trade.phase is Phase.ENTERING and trade.base_quantity * scene.quantity > 0
    if turning and scene.last_ms == trade.signal_ms:
        return market, ""
    if turning:
        late = trade.but(phase=Phase.CLOSING)
        return Market(trade=late, after_ms=scene.last_ms), f"{trade.signal_id} did not turn in time"
    return _adopted(market, scene)


def _with_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    held = abs(scene.quantity)
    if trade.phase is Phase.ENTERING:
        trade = trade.but(phase=Phase.OPEN, base_quantity=0.0, base_cost=0.0)
    elif held < abs(trade.seen_quantity) * (1 - NOTHING):
        return _revised(market, trade, scene, "smaller")
    if held > trade.units * trade.unit_quantity * OVERSIZE and held > abs(trade.seen_quantity):
        return _revised(market, trade, scene, "larger")
    trade = _settled_addition(trade, scene)
    return market.model_copy(update={"trade": _with_newest_fill(trade, scene)}), ""


def _settled_addition(trade: Trade, scene: Scene) -> Trade:
    """Return the trade with its newest unit bought, dropped when its bar is over, or waited for."""
    if trade.phase is not Phase.ADDING:
        return trade
    if abs(scene.quantity) > abs(trade.base_quantity) * (1 + NOTHING):
        return trade.but(phase=Phase.OPEN)
    if scene.last_ms == trade.bar_ms:
        return trade
    return trade.but(phase=Phase.OPEN, weights=trade.weights[:-1])


def _with_newest_fill(trade: Trade, scene: Scene) -> Trade:
    """Return the trade with the newest unit's price: what it added to cost over what to size."""
    bought = scene.quantity - trade.base_quantity
    fills = trade.fills
    if trade.phase is Phase.OPEN and abs(bought) > abs(trade.base_quantity) * NOTHING:
        price = (scene.cost - trade.base_cost) / bought
        fills = (*fills[: trade.units - 1], price)
    return trade.but(fills=fills, seen_quantity=scene.quantity)


def _revised(market: Market, trade: Trade, scene: Scene, how: str) -> tuple[Market, str]:
    """Return the trade with the size found, kept as it is from now on: nothing is bought back."""
    units = max(1, len(trade.fills))
    fills = trade.fills or (scene.cost / scene.quantity,)
    revised = trade.but(
        phase=Phase.OPEN,
        weights=(scene.held_weight,) * units,
        fills=fills,
        unit_quantity=abs(scene.quantity) / units,
        base_quantity=scene.quantity,
        base_cost=scene.cost,
        seen_quantity=scene.quantity,
        revision=trade.revision + 1,
    )
    note = f"the position is {how} than {trade.signal_id} planned: keeping what is there"
    return market.model_copy(update={"trade": revised}), note


def _adopted(market: Market, scene: Scene) -> tuple[Market, str]:
    """Return a trade made from a position nobody remembers, with its stop, never added to."""
    direction = 1 if scene.quantity > 0 else -1
    entry = scene.cost / scene.quantity
    trade = Trade(
        phase=Phase.OPEN,
        direction=direction,
        system="s1" if scene.params.system == "s1" else "s2",
        signal_ms=scene.last_ms,
        bar_ms=scene.last_ms,
        n=float(scene.n[-1]),
        unit_quantity=abs(scene.quantity),
        weights=(scene.held_weight,),
        fills=(entry,),
        expected=entry,
        base_quantity=scene.quantity,
        base_cost=scene.cost,
        seen_quantity=scene.quantity,
        revision=1,
        adopted=True,
    )
    note = f"found a position of {scene.quantity:g} that no trade explains: adopted with a stop"
    return Market(trade=trade, after_ms=market.after_ms), note
