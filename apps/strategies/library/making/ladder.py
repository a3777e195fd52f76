"""From a centre and a width to priced and sized levels on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.strategies.indicators.realised_volatility import BPS_IN_ONE
from apps.strategies.library.amounts import price_of, quantity_of
from moondev.domain.desired import Quote
from moondev.domain.instruments import Instrument


@dataclass(frozen=True, slots=True)
class Level:
    """One price and how much to rest there, in float64."""

    price: float
    quantity: float


@dataclass(frozen=True, slots=True)
class Width:
    """Where quotes lie: around the price `centre`, `half_bps` basis points to each side."""

    centre: float
    half_bps: float

    def distance_bps(self, other: Width) -> float:
        """Return by how much the farther of the two sides differs between the two, at most."""
        moved = BPS_IN_ONE * abs(self.centre / other.centre - 1)
        return moved + abs(self.half_bps - other.half_bps)


def floored(width: Width, tick: float, fee_bps: float) -> Width:
    """Return `width` with at least maker fee + half a tick on each side of its centre."""
    least = fee_bps + 0.5 * tick / width.centre * BPS_IN_ONE
    return Width(width.centre, max(width.half_bps, least))


def prices(width: Width, step: float, count: int, direction: int) -> tuple[float, ...]:
    """Return `count` prices, best first; `direction` is -1 for bids and +1 for asks.

    Neighbours lie `step` half-spreads apart. Prices that would not be above zero are left out.
    """
    distances = (width.half_bps * (1 + step * index) for index in range(count))
    return away(width.centre, distances, direction)


def away(start: float, distances_bps: Iterable[float], direction: int) -> tuple[float, ...]:
    """Return the prices at `distances_bps` from `start` in `direction` that are above zero."""
    found = (start * (1 + direction * distance / BPS_IN_ONE) for distance in distances_bps)
    return tuple(price for price in found if price > 0)


def behind(prices_: Sequence[float], limit: float, direction: int) -> tuple[float, ...]:
    """Return the prices moved to `limit` where they would trade at once (bids above, asks below)."""
    pick = min if direction < 0 else max
    return tuple(pick(price, limit) for price in prices_)


def sized(prices_: Sequence[float], shares: Sequence[float], total: float, room: float) -> tuple[Level, ...]:
    """Return the levels with `total` split by `shares`, together never more than `room`.

    What does not fit is taken from the far levels: the near one is the first to trade.
    """
    levels = []
    for price, share in zip(prices_, shares, strict=False):
        quantity = min(total * share, room)
        if quantity <= 0:
            break
        levels.append(Level(price, quantity))
        room -= quantity
    return tuple(levels)


def tradable(levels: Iterable[Level], instrument: Instrument) -> tuple[Quote, ...]:
    """Return the levels as quotes; one too small for the venue is carried on to the next.

    Levels on one price become one quote. What is left too small in the end joins the last quote.
    """
    quotes: list[Quote] = []
    carried = 0.0
    for level in levels:
        carried += level.quantity
        price, quantity = price_of(level.price), quantity_of(carried)
        if quotes and quotes[-1].price == price:
            quotes[-1] = Quote(price, quotes[-1].quantity + quantity)
        elif instrument.tradable(quantity, price):
            quotes.append(Quote(price, quantity))
        else:
            continue
        carried = 0.0
    if carried and quotes:
        quotes[-1] = Quote(quotes[-1].price, quotes[-1].quantity + quantity_of(carried))
    return tuple(quotes)
