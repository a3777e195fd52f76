"""Where orders meet a bar. Pure: a path and an order in, what happens out.

A bar tells four prices and not in which order they came. Everything here takes the reading that costs most among
those that are possible: of a stop and a target in one bar the stop came first, and after a fill inside a bar only
what certainly came later may fill another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from apps.strategies.backtest.replaying.orders import Standing
from moondev.domain.orders import OrderType


@dataclass(frozen=True, slots=True)
class Path:
    """What is left of a bar: the price now, the extremes still to come, and the close."""

    price: float
    high: float
    low: float
    close: float

    def after(self, price: float, *, fell: bool) -> Path:
        """Return what is left once the market has come down (or up) to `price`.

        The extreme on the far side may have come before, so only the close tells what certainly comes there.
        """
        if fell:
            return Path(price, max(price, self.close), self.low, self.close)
        return Path(price, self.high, min(price, self.close), self.close)


class Answer(StrEnum):
    """What becomes of an order that reaches the market; REJECTED and UNFILLED are codes of a result's refusals."""

    TAKES = "takes"
    RESTS = "rests"
    REJECTED = "POST_ONLY_CROSSES"
    UNFILLED = "IOC_UNFILLED"


@dataclass(frozen=True, slots=True)
class Hit:
    """An order that trades: at which price of the market, before costs, and whether it made it."""

    standing: Standing
    price: float
    made: bool


def arrival(order: Standing, price: float, half_spread: float) -> Answer:
    """Return what becomes of `order` on arriving when the market is at `price`."""
    kind = order.order.order_type
    if kind is OrderType.MARKET:
        return Answer.TAKES
    if kind is not OrderType.LIMIT:
        return Answer.RESTS
    touch = price * (1 + order.sign * half_spread)
    if (order.level - touch) * order.sign < 0:
        return Answer.UNFILLED if order.immediate else Answer.RESTS
    return Answer.REJECTED if order.post_only else Answer.TAKES


def beyond(orders: Iterable[Standing], path: Path, step: int) -> Hit | None:
    """Return the first resting order whose level the price is at or beyond: stops first.

    A stop fills at what is worse, price or level. A resting limit fills at what is better if it rested before this
    bar began, as a gap fills it at the open; one that has only just come fills at its own price.
    """
    hits = (_beyond(order, path.price, step) for order in orders if order.arrived is not None)
    return min((hit for hit in hits if hit is not None), key=lambda hit: hit.made, default=None)


def touched(orders: Iterable[Standing], path: Path) -> Hit | None:
    """Return which resting order the rest of the bar reaches first: a stop, else the one nearest to the price."""
    reached = [order for order in orders if order.arrived is not None and _reached(order, path)]
    if not reached:
        return None
    first = min(
        reached, key=lambda order: (order.order.order_type is not OrderType.STOP, abs(order.level - path.price))
    )
    return Hit(first, first.level, first.order.order_type is not OrderType.STOP)


def _beyond(order: Standing, price: float, step: int) -> Hit | None:
    past = price <= order.level if order.falls else price >= order.level
    if not past:
        return None
    if order.order.order_type is OrderType.STOP:
        return Hit(order, price, made=False)
    return Hit(order, price if order.arrived is not None and order.arrived < step else order.level, made=True)


def _reached(order: Standing, path: Path) -> bool:
    return path.low <= order.level if order.falls else path.high >= order.level
