"""Fade the range: open at its ends, leave at a small profit, a stop, or when the time is up.

The intent of the bot this began as. Its guards in dollars became shares of the price.
"""

from __future__ import annotations

import numpy as np

from apps.strategies.indicators.true_range import true_range
from apps.strategies.library.amounts import price_of
from apps.strategies.library.making import ladder
from apps.strategies.library.making.memory import Market
from apps.strategies.library.making.quoting import pulled
from apps.strategies.library.making.scene import MS_IN_SECOND, Scene
from moondev.domain.desired import Quote, Quotes, Target

MS_IN_MINUTE = 60 * MS_IN_SECOND


def faded(market: Market, scene: Scene) -> tuple[Market, Quotes | Target, str]:
    """Return quotes while flat and a protected target while not, with the memory after it."""
    if scene.quantity != 0:
        return _held(market, scene)
    if market.held:
        cooldown = scene.now_ms + round(scene.params.zone_cooldown_minutes * MS_IN_MINUTE)
        market = Market(pause_until_ms=max(market.pause_until_ms, cooldown))
    if scene.now_ms < market.pause_until_ms:
        return market, pulled(scene), ""
    may_buy, may_sell, why_not = openings(scene)
    bids = _side(scene, -1) if may_buy else ()
    asks = _side(scene, +1) if may_sell else ()
    if (may_buy or may_sell) and not (bids or asks):
        why_not = f"a level of {scene.unit:g} is too small for the venue"
    return market, Quotes(scene.instrument.key, bids, asks, scene.reason), why_not


def openings(scene: Scene) -> tuple[bool, bool, str]:
    """Return whether to bid, whether to ask, and a note when a guard forbids both.

    Bid in the lowest `zone_share` of the range of all bars, ask in the highest; not on a side whose
    extreme is younger than `zone_fresh_extreme_bars`: that range is breaking, not holding.
    """
    params, bars = scene.params, scene.bars
    low, high = float(bars.low.min()), float(bars.high.max())
    width = 100 * (high - low) / scene.mid
    if width > params.zone_max_range_percent:
        return False, False, f"the range is {width:.2f} % wide"
    last_range = 100 * float(true_range(bars.high, bars.low, bars.close)[-1]) / scene.mid
    if last_range > params.zone_max_true_range_percent:
        return False, False, f"the last true range is {last_range:.2f} %"
    zone = params.zone_share * (high - low)
    low_age = int(np.argmin(bars.low[::-1]))
    high_age = int(np.argmax(bars.high[::-1]))
    may_buy = scene.bid < low + zone and low_age >= params.zone_fresh_extreme_bars
    may_sell = scene.ask > high - zone and high_age >= params.zone_fresh_extreme_bars
    return may_buy, may_sell, ""


def _side(scene: Scene, direction: int) -> tuple[Quote, ...]:
    params = scene.params
    start = scene.bid if direction < 0 else scene.ask
    found = ladder.away(start, params.zone_distances, direction)
    # At its farthest price, so that no mixture of fills can cost more than is allowed.
    affordable = params.zone_max_cost / max(found)
    total = min(scene.unit, affordable)
    return ladder.tradable(ladder.sized(found, params.shares, total, total), scene.instrument)


def _held(market: Market, scene: Scene) -> tuple[Market, Target, str]:
    held = scene.quantity
    if market.held * held <= 0:
        market = Market(pause_until_ms=market.pause_until_ms, held_since_ms=scene.now_ms, stop=_stop(scene))
    if market.held != held:
        weight = max(-1.0, min(1.0, held * scene.mid / scene.allocation))
        market = market.but(held=held, weight=weight)
    market, note = (market, "") if market.closing else _watched(market, scene)
    return market, _target(market, scene), note


def _watched(market: Market, scene: Scene) -> tuple[Market, str]:
    """Return the market, closing from now on when cost, time or price demand it, and why."""
    params = scene.params
    cost = abs(float(scene.holding.cost))
    if cost > params.zone_max_cost:
        halt = scene.now_ms + round(params.zone_halt_minutes * MS_IN_MINUTE)
        note = f"cost {cost:.2f} above {params.zone_max_cost:g}: closing"
        return market.but(closing=True, pause_until_ms=halt), note
    note = _over(market, scene)
    return (market.but(closing=True), note) if note else (market, "")


def _over(market: Market, scene: Scene) -> str:
    params = scene.params
    if scene.now_ms - market.held_since_ms >= params.zone_hold_minutes * MS_IN_MINUTE:
        return f"held for {params.zone_hold_minutes:g} minutes: closing"
    direction = 1 if market.held > 0 else -1
    if direction * (scene.mid - market.stop) <= 0:
        return f"the stop at {market.stop:g} is behind the mid: closing"
    return ""


def _stop(scene: Scene) -> float:
    """Return the stop: beyond the range, or beyond the entry where that lies outside already."""
    entry = float(scene.holding.cost) / scene.quantity
    distance = scene.params.zone_stop_percent / 100
    if scene.quantity > 0:
        return min(float(scene.bars.low.min()), entry) * (1 - distance)
    return max(float(scene.bars.high.max()), entry) * (1 + distance)


def _target(market: Market, scene: Scene) -> Target:
    key, signal = scene.instrument.key, f"zone:{market.held_since_ms}:{market.held:g}"
    if market.closing:
        return Target(key, 0.0, f"{signal}:exit", "leaving the position")
    entry = float(scene.holding.cost) / scene.quantity
    direction = 1 if market.held > 0 else -1
    return Target(
        instrument=key,
        weight=market.weight,
        signal_id=signal,
        reason="zone position",
        stop=price_of(market.stop),
        take_profit=price_of(entry * (1 + direction * scene.params.zone_exit_percent / 100)),
    )
