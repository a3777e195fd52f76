"""From a signal to an order: how large, at what price, and whether the review lets it through."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from apps.strategies.backtest.costs import BPS
from apps.strategies.backtest.vectoring.entering import Order
from apps.strategies.backtest.vectoring.lane import Lane, Untold
from apps.strategies.backtest.vectoring.purse import Purse
from apps.strategies.library.bracketed.position import UNDERSIZE
from moondev.domain.clock import from_milliseconds


@dataclass(frozen=True, slots=True)
class Call:
    """A signal: its row, direction and weight, the price it was planned around, its limit (NaN: at the market)."""

    row: int
    sign: int
    weight: float
    price: float
    limit: float
    now_ms: int
    expires_ms: int

    @property
    def moment(self) -> datetime:
        """Return when the signal came."""
        return from_milliseconds(self.now_ms)

    def too_small(self, lane: Lane, allocation: float) -> bool:
        """Return whether the strategy itself lets it pass: less than the venue trades."""
        notional = abs(self.weight) * allocation
        return not notional > 0 or notional < lane.min_notional or notional / self.price < lane.lot


def call_of(lane: Lane, row: int) -> Call:
    """Return the signal of `row`."""
    weight = lane.weights[row]
    return Call(
        row=row,
        sign=1 if weight > 0 else -1,
        weight=weight,
        price=lane.prices[row],
        limit=lane.limits[row],
        now_ms=int(lane.closed_ms[row]),
        expires_ms=lane.expiry(row),
    )


def sized(lane: Lane, call: Call, purse: Purse, withdrawn: Order | None) -> tuple[Order | None, str]:
    """Return the order that is sent, or None and the code of a refusal (empty where none was given).

    An entry on the same side that is withdrawn at this very tick is changed instead: see `_changed`. Raises Untold
    for a resting entry that gets much less than it asked for.
    """
    mid, rests = lane.closes[call.row], not math.isnan(call.limit)
    quantity = purse.quantity(lane, call.weight, call.limit if rests else mid)
    level = lane.passive(call.limit, call.sign) if rests else lane.worst(mid, call.sign)
    if not quantity:
        return None, ""
    if rests and quantity * call.limit < UNDERSIZE * abs(call.weight) * purse.allocation:
        # The strategy takes what was cut for a partial fill, and sizes it anew at a later tick.
        raise Untold(f"{lane.key}: a resting entry was cut to {quantity:g}")
    order, leaving = Order(call.row, call.sign, level, quantity, call.expires_ms), 0.0
    if withdrawn is not None and withdrawn.expires_ms == call.now_ms and withdrawn.sign == call.sign:
        order = _changed(lane, withdrawn, order, mid)
    elif not lane.accepts(quantity, min(level, mid)):
        return None, ""
    if withdrawn is not None and withdrawn.expires_ms == call.now_ms and withdrawn.sign != call.sign:
        leaving = withdrawn.quantity * withdrawn.level
    refused = purse.refusal(lane, order.quantity, order.level, mid, call.now_ms, leaving)
    if refused and leaving and not purse.refusal(lane, order.quantity, order.level, mid, call.now_ms, 0.0):
        return _at_a_later_tick(lane, order, float(lane.signals.stops[call.row])), refused.value
    return (None, refused.value) if refused else (order, "")


def _at_a_later_tick(lane: Lane, order: Order, stop: float) -> Order | None:
    """Return the order as it is sent once nothing else stands in its way; None when it is no longer wanted by then.

    While the market is beyond the trade's own stop it is not sent either.
    """
    row = lane.tick(order.row + 1)
    while row < len(lane) and lane.closed_ms[row] < order.expires_ms:
        if not (lane.closes[row] - stop) * order.sign <= 0:
            return replace(order, row=row)
        row = lane.tick(row + 1)
    return None


def _changed(lane: Lane, old: Order, new: Order, mid: float) -> Order:
    """Return what the planner makes of a resting entry that is wanted anew: amended, and the rest placed beside it.

    A rest that the venue would not take is left out; a price within the tolerance is left alone.
    """
    quantity = new.quantity
    # Twelve places: of whole lots as floats, one is left over and not ...999 of one.
    if quantity > old.quantity and not lane.accepts(round(quantity - old.quantity, 12), min(new.level, mid)):
        quantity = old.quantity
    if abs(old.level - new.level) / new.level > lane.reprice_bps * BPS:
        return replace(new, quantity=quantity)
    return replace(new, level=old.level, quantity=quantity, rested=quantity >= old.quantity)
