"""From a trade to the one target that stands for it."""

from __future__ import annotations

from apps.strategies.library.amounts import price_of
from apps.strategies.library.single.memory import Market, Phase
from moondev.domain.desired import Target
from moondev.domain.values import Price


def target_of(key: str, market: Market) -> Target:
    """Return what to hold of `key`: the trade behind its stop, or nothing."""
    trade = market.trade
    if trade is None:
        return Target(key, 0.0, "flat", "no trade")
    if trade.phase is Phase.CLOSING:
        return Target(key, 0.0, f"{trade.signal_id}:exit", "leaving the trade")
    side = "long" if trade.direction > 0 else "short"
    return Target(
        instrument=key,
        weight=trade.direction * trade.weight,
        signal_id=trade.signal_id,
        reason=f"{trade.kind} {side}",
        entry=_price(trade.entry) if trade.phase is Phase.ENTERING else None,
        stop=_price(trade.stop),
        take_profit=_price(trade.take_profit),
    )


def _price(number: float) -> Price | None:
    return price_of(number) if number else None
