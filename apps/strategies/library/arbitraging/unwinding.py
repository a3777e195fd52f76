"""What becomes of a trade that is on: filled, held, unwound, over."""

from __future__ import annotations

from apps.strategies.library.arbitraging.depth import BPS_IN_ONE, average_price
from apps.strategies.library.arbitraging.memory import Trade
from apps.strategies.library.arbitraging.openings import carry_bps_per_day
from apps.strategies.library.arbitraging.scene import Scene, weight_of
from moondev.domain.desired import Desired, Legs, Target

MS_IN_MINUTE = 60_000
# As the planner has it: legs that differ by less are level.
LEVEL_SHARE = 0.1


def advanced(scene: Scene, trade: Trade) -> tuple[Trade | None, str]:
    """Return the trade in the phase it is in now, None when it is over, and a note when it is to be unwound."""
    if trade.buy not in scene.instruments or trade.sell not in scene.instruments:
        return None, f"{trade.signal}: an instrument is no longer there; forgotten"
    bought, sold = scene.held(trade.buy), scene.held(trade.sell)
    if trade.phase == "closing":
        return (trade, "") if bought or sold else (None, f"{trade.signal}: over")
    full = _filled(bought, trade.quantity) and _filled(-sold, trade.quantity)
    if trade.phase == "opening" and not full:
        late = scene.now_ms - trade.opened_ms > scene.params.max_leg_gap_ms
        return (trade.now("closing"), f"{trade.signal}: a leg is missing; undone") if late else (trade, "")
    reason = _why_unwind(scene, trade) if full else "a leg has gone"
    if reason:
        return trade.now("closing"), f"{trade.signal}: {reason}; unwound"
    return trade.now("held"), ""


def wishes(trade: Trade, max_leg_gap_ms: int) -> tuple[Desired, ...]:
    """Return what to want for a trade: both legs together, one unfilled in time undoing all; or nothing of either."""
    if trade.phase == "closing":
        signal = f"{trade.signal}:out"
        return tuple(Target(key, 0.0, signal, "arbitrage unwound") for key in (trade.buy, trade.sell))
    long = Target(trade.buy, trade.buy_weight, trade.signal, "arbitrage: the cheap side")
    short = Target(trade.sell, -trade.sell_weight, trade.signal, "arbitrage: the dear side")
    return (Legs((long, short), max_leg_gap_ms),)


def exit_gap_bps(scene: Scene, trade: Trade) -> float | None:
    """Return what buying the sold leg back costs beyond what the bought one fetches; None without the depth."""
    here, there = scene.fresh_book(trade.buy), scene.fresh_book(trade.sell)
    if here is None or there is None:
        return None
    bid, ask = average_price(here.bids, trade.quantity), average_price(there.asks, trade.quantity)
    return None if bid is None or ask is None else (ask - bid) / bid * BPS_IN_ONE


def adopted(scene: Scene, buy: str, sell: str) -> Trade | None:
    """Return the trade that two positions nobody remembers are: level, opposite, at the prices they were entered."""
    bought, sold = scene.held(buy), scene.held(sell)
    here, there = scene.book(buy), scene.book(sell)
    paid, got = scene.own.holding(buy).entry_price, scene.own.holding(sell).entry_price
    if not bought > 0 > sold or paid is None or got is None or not _filled(bought, -sold) or not scene.allocation > 0:
        return None
    if here is None or there is None:
        return None
    one, other = scene.instruments[buy], scene.instruments[sell]
    weights = (
        weight_of(bought, here.mid, one, scene.allocation), weight_of(-sold, there.mid, other, scene.allocation),
    )  # fmt: skip
    if max(weights) > 1:
        return None
    return Trade(
        buy=buy,
        sell=sell,
        signal=f"{one.venue}-{other.venue}:{one.asset}:{scene.now_ms}:found"[:90],
        quantity=bought,
        buy_weight=weights[0],
        sell_weight=weights[1],
        entry_gap_bps=float((got.value - paid.value) / paid.value) * BPS_IN_ONE,
        opened_ms=scene.now_ms,
        phase="held",
    )


def _why_unwind(scene: Scene, trade: Trade) -> str:
    params = scene.params
    if scene.now_ms - trade.opened_ms > params.max_hold_minutes * MS_IN_MINUTE:
        return f"held for {params.max_hold_minutes:g} minutes"
    gap = exit_gap_bps(scene, trade)
    if gap is not None and gap - trade.entry_gap_bps > params.stop_gap_bps:
        return f"the gap went from {trade.entry_gap_bps:.2f} to {gap:.2f} bps"
    if params.mode == "funding_carry":
        carry = carry_bps_per_day(scene, trade.buy, trade.sell)
        spent = carry is not None and carry < params.exit_carry_bps_per_day
        return f"funding earns {carry:.2f} bps a day" if spent else ""
    closed = gap is not None and gap <= params.close_gap_bps
    return f"the edge has closed: unwinding costs {gap:.2f} bps" if closed else ""


def _filled(held: float, wanted: float) -> bool:
    return abs(held - wanted) <= LEVEL_SHARE * wanted
