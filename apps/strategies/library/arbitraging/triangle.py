"""Three pairs of one venue that lead back to where one began: what a round through their books leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.strategies.library.arbitraging.depth import BPS_IN_ONE, average_price
from apps.strategies.library.arbitraging.scene import Scene
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import Book

# Less is the rounding of floats: a round over single mids is one up to its last digits.
ROUNDING_BPS = 1e-6


@dataclass(frozen=True, slots=True)
class Prices:
    """What one sells and buys at: the average bid and ask of a size."""

    bid: float
    ask: float


def rounds_bps(base: Prices, cross: Prices, other: Prices, fee: float) -> tuple[float, float]:
    """Return what each of the two rounds leaves, in basis points, after three taker fees (`fee` as a share).

    `base` and `other` are two coins in one currency, `cross` the base coin priced in the other. The first round buys
    the base coin, sells it for the other and that for the currency; the second goes the other way.
    """
    down, up = 1 - fee, 1 + fee
    there = cross.bid * down * other.bid * down / (base.ask * up)
    back = base.bid * down / (other.ask * up * cross.ask * up)
    return (there - 1) * BPS_IN_ONE, (back - 1) * BPS_IN_ONE


def triangle_notes(scene: Scene) -> tuple[str, ...]:
    """Return what the operator should know of the triangle: a round that earns enough, or why none is reckoned."""
    key, base, quote = scene.params.cross
    sides = _sides(scene.instruments, key, base, quote)
    if sides is None:
        return (f"triangular: {base} and {quote} in one currency at {key.partition(':')[0]} are not both there",)
    priced = _priced(scene, key, *sides)
    if priced is None:
        return (f"triangular: no fresh books of {', '.join((*sides, key))} that are deep enough",)
    rounds = rounds_bps(*priced, scene.fee(sides[0]))
    names = (f"{base} -> {quote}", f"{quote} -> {base}")
    return tuple(
        f"triangular: the round {name} leaves {left - scene.params.slippage_bps:.2f} bps"
        for name, left in zip(names, rounds, strict=True)
        if left - scene.params.slippage_bps > max(scene.params.min_profit_bps, ROUNDING_BPS)
    )


def _sides(instruments: Mapping[str, Instrument], cross: str, base: str, quote: str) -> tuple[str, str] | None:
    venue = cross.partition(":")[0]
    here = [one for one in instruments.values() if one.venue == venue]
    for one in here:
        for other in here:
            if (one.asset, other.asset) == (base, quote) and one.quote == other.quote:
                return one.key, other.key
    return None


def _priced(scene: Scene, cross: str, base: str, other: str) -> tuple[Prices, Prices, Prices] | None:
    """Return average prices of one size through all three books; None when one is old or not deep enough."""
    books = [scene.fresh_book(key) for key in (base, cross, other)]
    if books[0] is None or books[1] is None or books[2] is None:
        return None
    worth = min(scene.params.order_weight_percent / 100 * scene.allocation, scene.params.most_notional)
    quantity = max(0.0, worth) / books[0].mid
    sizes = (quantity, quantity, quantity * books[1].mid)
    found = [_at_size(book, size) for book, size in zip(books, sizes, strict=True) if book is not None]
    if found[0] is None or found[1] is None or found[2] is None:
        return None
    return found[0], found[1], found[2]


def _at_size(book: Book, size: float) -> Prices | None:
    bid, ask = average_price(book.bids, size), average_price(book.asks, size)
    return None if bid is None or ask is None else Prices(bid, ask)
