"""Is a new order well formed? Rules that need no account: grid, size, notional, distance."""

from __future__ import annotations

from dataclasses import dataclass

from apps.exchanges.mock.engine.api import NewOrder, RejectCode, Rejected
from apps.exchanges.mock.engine.grid import money_units
from apps.exchanges.mock.engine.market import Market

# An order price may lie at most 80 % away from the reference price.
_FAR_NUMERATOR, _FAR_DENOMINATOR = 4, 5


@dataclass(frozen=True, slots=True)
class Draft:
    """A well-formed order in whole units; `trigger_px` is zero without a trigger."""

    px: int
    size: int
    trigger_px: int


def drafted(new: NewOrder, market: Market) -> Draft | Rejected:
    """Return `new` in whole units, or why the venue would refuse it."""
    size = market.grid.size_units(new.size)
    if size is None or size < 0:
        return Rejected(RejectCode.INVALID_SIZE, f"size {new.size}: {market.spec.sz_decimals} decimals at most")
    if not size:
        return Rejected(RejectCode.ZERO_SIZE, "size 0")
    px = market.grid.price_units(new.price)
    if px is None:
        return Rejected(RejectCode.TICK, f"price {new.price} is not on the grid")
    trigger_px = _trigger_units(new, market)
    if isinstance(trigger_px, Rejected):
        return trigger_px
    return _sane(new, market, Draft(px, size, trigger_px))


def _trigger_units(new: NewOrder, market: Market) -> int | Rejected:
    if new.trigger is None:
        return 0
    units = market.grid.price_units(new.trigger.trigger_px)
    if units is None:
        return Rejected(RejectCode.TICK, f"trigger price {new.trigger.trigger_px} is not on the grid")
    return units


def _sane(new: NewOrder, market: Market, draft: Draft) -> Draft | Rejected:
    notional = draft.px * draft.size
    if not new.reduce_only and notional < money_units("min_notional", market.spec.min_notional):
        return Rejected(RejectCode.MIN_NOTIONAL, f"notional {new.size * new.price} below {market.spec.min_notional}")
    if abs(draft.px - market.mark) * _FAR_DENOMINATOR > market.mark * _FAR_NUMERATOR:
        return Rejected(RejectCode.PRICE_TOO_FAR, f"price {new.price}, reference {market.grid.price(market.mark)}")
    return draft
