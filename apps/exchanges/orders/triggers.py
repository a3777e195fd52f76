"""When an order that waits with us is due, and where a trailing stop stands: pure arithmetic of prices."""

from __future__ import annotations

from decimal import Decimal

from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import PriceGrid, Rounding
from moondev.domain.orders import OrderType, TimeInForce
from moondev.domain.values import Bps, Price, Side

# How far from its trigger, or from the market that has run past it, an exit may trade: it has to get out.
SLIPPAGE_BPS = Decimal(300)

_TAKES_PROFIT = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
_RESTS = frozenset({OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})


def released_as(order_type: OrderType) -> tuple[OrderType, TimeInForce]:
    """Return what an order of a triggered type becomes once its trigger is reached. Raises InvalidValue for others."""
    if not order_type.triggered:
        raise InvalidValue("order_type", order_type.value, "a type that waits for a trigger")
    if order_type in _RESTS:
        return OrderType.LIMIT, TimeInForce.GTC
    return OrderType.MARKET, TimeInForce.IOC


def reached(order_type: OrderType, side: Side, trigger: Price, price: Price) -> bool:
    """Return whether `price` sets the order off: stops lose (a sell below its trigger), take-profits gain."""
    below = (side is Side.SELL) is not (order_type in _TAKES_PROFIT)
    return price <= trigger if below else price >= trigger


def beyond(side: Side, worst: Price, price: Price) -> bool:
    """Return whether a market at `price` has left no room for an order that trades no worse than `worst`."""
    return price <= worst if side is Side.SELL else price >= worst


def still_out(side: Side, worst: Price, price: Price) -> Price:
    """Return the worst price for an exit from a market at `price`: `worst`, or `SLIPPAGE_BPS` away if that is farther.

    It reaches the grid when the order is released.
    """
    bound = price.moved(Bps(SLIPPAGE_BPS * side.sign))
    return min(worst, bound) if side is Side.SELL else max(worst, bound)


def trailed(side: Side, trigger: Price, trail: Bps, price: Price, grid: PriceGrid) -> Price:
    """Return where a trailing stop's trigger stands after `price`: `trail` behind it, on the grid, and never back.

    A sell trails below a rising price, a buy above a falling one; it is rounded so that it fires no later than asked.
    """
    behind = price.value * (1 - side.opposite.sign * trail.fraction)
    if behind <= 0:
        return trigger
    moved = grid.rounded(behind, Rounding.UP if side is Side.SELL else Rounding.DOWN)
    return max(trigger, moved) if side is Side.SELL else min(trigger, moved)


def worst_after(trigger: Price, worst: Price, moved: Price) -> Price:
    """Return the worst acceptable price of a trailing stop whose trigger has moved: as far from it as before.

    It reaches the grid when the order is released: rounded at every step, it would wander off in the end.
    """
    return Price(worst.value * moved.value / trigger.value)
