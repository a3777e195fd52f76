"""What became of a trade since the last tick: the position is the truth, the memory follows it."""

from __future__ import annotations

import math

from apps.strategies.library.single.memory import Market, Phase, Trade
from apps.strategies.library.single.scene import Scene

# Fills in float64 differ from the plan by rounding; below this share nothing has happened.
NOTHING = 1e-9
# A position larger than planned by more than this was not bought by this trade.
OVERSIZE = 1.10


def reconciled(market: Market, scene: Scene) -> tuple[Market, str]:
    """Return the market as the position shows it, and a note when that was a surprise.

    A position without a trade is left to the caller, who adopts it with a stop of its own rules.
    """
    trade = market.trade
    if trade is None:
        return market, ""
    if scene.quantity == 0:
        return _without_position(market, trade, scene)
    if trade.phase is Phase.CLOSING:
        return market, ""
    if math.copysign(1, scene.quantity) != trade.direction:
        return _against_position(market, trade, scene)
    return _with_position(market, trade, scene)


def closing(trade: Trade, scene: Scene) -> Market:
    """Return the market with `trade` on its way out; its newest bar opens no other."""
    return Market(trade=trade.but(phase=Phase.CLOSING), after_ms=scene.last_ms)


def adopted(scene: Scene, stop: float) -> Trade:
    """Return a trade made from a position that nobody remembers, behind `stop` (a price; 0 for none)."""
    return Trade(
        phase=Phase.OPEN,
        direction=1 if scene.quantity > 0 else -1,
        kind="adopted",
        signal_ms=scene.last_ms,
        bar_ms=scene.last_ms,
        weight=scene.held_weight,
        stop=stop,
        seen_quantity=scene.quantity,
        settled=scene.settled,
    )


def _without_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    if trade.phase is Phase.CLOSING:
        return Market(after_ms=market.after_ms), ""
    # What was seen once and is gone was closed; turning changes what is settled anyway, so there it alone tells.
    came_and_went = trade.seen_quantity != 0 or (trade.base_quantity == 0 and scene.settled != trade.settled)
    if trade.phase is Phase.ENTERING and not came_and_went:
        if scene.last_ms == trade.signal_ms:
            return market, ""
        return Market(after_ms=trade.signal_ms), f"{trade.signal_id} was not filled within its bar"
    # The bar in which it ended opens no other one, be it closed or in progress.
    after_ms = scene.last_ms if _stopped(trade, scene) else scene.last_ms + scene.bar_ms
    return Market(after_ms=after_ms), f"{trade.signal_id} was closed at the venue"


def _stopped(trade: Trade, scene: Scene) -> bool:
    """Return whether a closed bar that was not acted upon yet touched the stop."""
    new = scene.bars.opened_ms > trade.bar_ms
    extremes = scene.bars.low[new] if trade.direction > 0 else scene.bars.high[new]
    return bool(trade.stop) and bool((trade.direction * (extremes - trade.stop) <= 0).any())


def _against_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    turning = trade.phase is Phase.ENTERING and trade.base_quantity * scene.quantity > 0
    if turning and scene.last_ms == trade.signal_ms:
        return market, ""
    if turning:
        return closing(trade, scene), f"{trade.signal_id} did not turn in time"
    note = f"the position of {scene.quantity:g} is against {trade.signal_id}"
    return Market(after_ms=market.after_ms), note


def _with_position(market: Market, trade: Trade, scene: Scene) -> tuple[Market, str]:
    held, seen = abs(scene.quantity), abs(trade.seen_quantity)
    if trade.phase is Phase.ENTERING:
        grown = trade.but(seen_quantity=scene.quantity)
        if scene.last_ms != trade.signal_ms or _complete(trade, scene):
            grown = grown.but(phase=Phase.OPEN)
        return market.model_copy(update={"trade": grown}), ""
    larger = held > seen * OVERSIZE and scene.held_weight > trade.weight * OVERSIZE
    if not larger and held >= seen * (1 - NOTHING):
        return market.model_copy(update={"trade": trade.but(seen_quantity=scene.quantity)}), ""
    revised = trade.but(weight=scene.held_weight, seen_quantity=scene.quantity, revision=trade.revision + 1)
    how = "larger" if larger else "smaller"
    note = f"the position is {how} than {trade.signal_id} planned: keeping what is there"
    return market.model_copy(update={"trade": revised}), note


def _complete(trade: Trade, scene: Scene) -> bool:
    """Return whether the position is what the weight asks for, within the planner's tolerance of a tenth."""
    return scene.held_weight >= 0.9 * trade.weight
