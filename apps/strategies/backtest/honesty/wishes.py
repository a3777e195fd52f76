"""Decisions as numbers, so that two of them can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterator

from apps.strategies.backtest.costs import BPS
from apps.strategies.base import Decision
from moondev.domain.desired import Legs, Quotes, Target
from moondev.domain.values import Price

Wishes = dict[str, float]


def wishes(decision: Decision) -> Wishes:
    """Return every number of a decision by what it is: weights and prices of targets, prices and sizes of quotes.

    What is not wished for is left out; names, reasons and memory are no wish.
    """
    return dict(sorted(_numbers(decision)))


def apart(one: Wishes, other: Wishes) -> tuple[bool, float, str]:
    """Return whether two decisions want different things, else by how many basis points at most, and in what.

    Different are another side, a price set by one only; a weight or price that is a little off is a distance.
    """
    for name in sorted(one.keys() ^ other.keys()):
        mine, theirs = one.get(name), other.get(name)
        # A weight of 0 is the same as no wish to hold.
        if mine or theirs:
            return True, math.inf, f"{name} {_text(mine)} against {_text(theirs)}"
    worst, where = 0.0, ""
    for name in one.keys() & other.keys():
        mine, theirs = one[name], other[name]
        if math.copysign(1, mine) != math.copysign(1, theirs) or (mine == 0) != (theirs == 0):
            return True, math.inf, f"{name} {mine:.8g} against {theirs:.8g}"
        distance = abs(mine - theirs) / abs(theirs) / BPS if theirs else 0.0
        if distance > worst:
            worst, where = distance, f"{name} {mine:.8g} against {theirs:.8g}"
    return False, worst, where


def _numbers(decision: Decision) -> Iterator[tuple[str, float]]:
    for wish in decision.desired:
        if isinstance(wish, Quotes):
            yield from _of_quotes(wish)
            continue
        for target in wish.targets if isinstance(wish, Legs) else (wish,):
            yield from _of_target(target)


def _of_target(target: Target) -> Iterator[tuple[str, float]]:
    yield f"weight of {target.instrument}", target.weight
    prices: dict[str, Price | None] = {
        "entry": target.entry, "stop": target.stop, "take-profit": target.take_profit,
    }  # fmt: skip
    for name, price in prices.items():
        if price is not None:
            yield f"{name} of {target.instrument}", float(price.value)


def _of_quotes(wish: Quotes) -> Iterator[tuple[str, float]]:
    for name, side in (("bid", wish.bids), ("ask", wish.asks)):
        for at, quote in enumerate(side, start=1):
            yield f"{name} {at} of {wish.instrument}", float(quote.price.value)
            yield f"size of {name} {at} of {wish.instrument}", float(quote.quantity.value)


def _text(number: float | None) -> str:
    return "none" if number is None else f"{number:.8g}"
