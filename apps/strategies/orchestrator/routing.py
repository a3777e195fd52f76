"""Sends what a strategy wants to where it can be had: new risk by health, fee and depth, exits to where the risk is.

A target is one amount, however many venues hold parts of it. Whatever already stands or works somewhere along the
target counts there, also at a venue that does not answer: only what is left is new risk, and it goes to one outlet.
Legs are not routed: they name their venues because they mean them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.strategies.models import Routing
from apps.strategies.orchestrator.outlets import Outlet, Outlets
from apps.strategies.orchestrator.planner import Situation, SizedDesired, SizedTarget
from apps.strategies.orchestrator.planner.situation import remaining
from moondev.domain.desired import Quotes
from moondev.domain.market_data import Book, BookLevel
from moondev.domain.values import ZERO, Side, SignedQuantity

Books = Mapping[str, Book | None]
Situations = Mapping[str, Situation]


@dataclass(frozen=True, slots=True)
class Standing:
    """What one outlet holds of a target: its position and what still works along the target, both signed."""

    key: str
    usable: bool
    position: Decimal
    along: Decimal

    def towards(self, direction: int) -> Decimal:
        """Return how much stands here or may yet come to stand here in `direction` (1 or -1), never below zero."""
        return max(self.position * direction, ZERO) + self.along * direction


def routed(
    wishes: Sequence[SizedDesired], outlets: Outlets, situations: Situations, books: Books
) -> tuple[tuple[SizedDesired, ...], tuple[str, ...]]:
    """Return the wishes by outlet instead of by instrument at home, and remarks for the operator."""
    found: list[SizedDesired] = []
    notes: list[str] = []
    for wish in wishes:
        home = _instrument_of(wish)
        if home is None or home not in outlets.by_home:
            found.append(wish)
        elif isinstance(wish, Quotes):
            found += _routed_quotes(wish, outlets, situations)
        elif isinstance(wish, SizedTarget):
            found += _routed_target(wish, outlets, situations, books, notes)
    return tuple(found), tuple(notes)


def allot(total: Decimal, standings: Sequence[Standing], best: str | None) -> dict[str, Decimal]:
    """Divide the signed `total` over the outlets; their shares have its sign or are zero.

    What stands along the total stays where it is. What is missing goes to `best` (None: nowhere); what is too much is
    given back by the usable outlets first, the last one asked first. A position against the total is to be closed.
    """
    direction = -1 if total < 0 else 1
    have = {one.key: one.towards(direction) for one in standings}
    missing = abs(total) - sum(have.values(), ZERO)
    if missing > 0:
        if best is not None:
            have[best] += missing
    else:
        surplus = -missing
        last_first = list(reversed(standings))
        for one in sorted(last_first, key=lambda one: not one.usable):
            given = min(have[one.key], surplus)
            have[one.key] -= given
            surplus -= given
    return {key: amount * direction for key, amount in have.items()}


def best_outlet(outlets: Outlets, home: str, side: Side, quantity: Decimal, books: Books) -> Outlet | None:
    """Return where new risk goes: home or who stands in, or to the cheapest that is well; None when nobody answers."""
    usable = outlets.usable(home)
    if not usable or outlets.routing is not Routing.CHEAPEST:
        return outlets.first_choice(home)
    costs = {outlet.key: _cost(outlet, side, quantity, books.get(outlet.key)) for outlet in usable}
    return min(usable, key=lambda outlet: (outlets.is_degraded(outlet), costs[outlet.key]))


def _routed_target(
    wish: SizedTarget, outlets: Outlets, situations: Situations, books: Books, notes: list[str]
) -> list[SizedDesired]:
    home, total = wish.target.instrument, wish.quantity.value
    usable = {outlet.key for outlet in outlets.usable(home)}
    standings = [_standing(situations[o.key], total, usable=o.key in usable) for o in outlets.by_home[home]]
    missing = abs(total) - sum((one.towards(-1 if total < 0 else 1) for one in standings), ZERO)
    side = Side.SELL if total < 0 else Side.BUY
    best = best_outlet(outlets, home, side, missing, books) if missing > 0 else None
    if missing > 0 and (best is None or best.key != home):
        notes.append(_where(home, best, missing))
    shares = allot(total, standings, None if best is None else best.key)
    return [
        SizedTarget(replace(wish.target, instrument=one.key), SignedQuantity(shares[one.key]), wish.fresh, wish.since)
        for one in standings
        if shares[one.key] or one.position or situations[one.key].working
    ]


def _standing(at: Situation, total: Decimal, *, usable: bool) -> Standing:
    side = Side.SELL if total < 0 else Side.BUY
    opening = tuple(order for order in at.trading if order.side is side and not order.purpose.reduces)
    return Standing(at.instrument.key, usable, at.position.value, remaining(opening) * side.sign)


def _routed_quotes(wish: Quotes, outlets: Outlets, situations: Situations) -> list[SizedDesired]:
    """Quote at the first outlet that answers, and pull what was quoted elsewhere."""
    choice = outlets.first_choice(wish.instrument)
    at = None if choice is None else choice.key
    found: list[SizedDesired] = []
    for outlet in outlets.by_home[wish.instrument]:
        if outlet.key == at:
            found.append(replace(wish, instrument=outlet.key))
        elif situations[outlet.key].trading:
            found.append(Quotes(outlet.key, (), (), f"quoted at {at}" if at else "no venue answers"))
    return found


def _cost(outlet: Outlet, side: Side, quantity: Decimal, book: Book | None) -> float:
    """Return the price per unit, fee included, with the sign that makes less better; infinite without the depth."""
    if book is None:
        return float("inf")
    levels = book.asks if side is Side.BUY else book.bids
    price = _average_price(levels, float(quantity))
    return side.sign * price * (1 + side.sign * float(outlet.taker_fee.fraction)) if price else float("inf")


def _average_price(levels: Sequence[BookLevel], quantity: float) -> float | None:
    """Return what `quantity` trades at on average; None when the book is not that deep."""
    left, paid = quantity, 0.0
    for level in levels:
        taken = min(left, level.size)
        paid += taken * level.price
        left -= taken
        if left <= 0:
            return paid / quantity
    return None


def _where(home: str, best: Outlet | None, missing: Decimal) -> str:
    if best is None:
        return f"{home}: no venue answers; {missing:f} is not opened"
    return f"{home}: {missing:f} of new risk goes to {best.key}"


def _instrument_of(wish: SizedDesired) -> str | None:
    if isinstance(wish, Quotes):
        return wish.instrument
    return wish.target.instrument if isinstance(wish, SizedTarget) else None
