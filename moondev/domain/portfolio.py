"""The arithmetic of positions: exact, and free of any database.

A position keeps its signed entry cost, not an average price: cost and cash only ever add up, so
equity is exact to the last decimal and the one division (the share of cost that a reduction takes
out) moves money between realised and unrealised profit but never changes their sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

from moondev.domain.values import ZERO, Price, Quantity, Side, SignedQuantity

# Realised profit is kept to this many decimals; the remainder stays in the cost of what is open.
REALISED_PLACES = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Holding:
    """A position in one instrument with its book-keeping, all in the quote currency.

    `quantity` is signed base units; `cost` the signed notional paid for it (negative for a short);
    `realised` profit before fees; `fees` positive when paid; `funding` positive when received.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO

    @property
    def signed(self) -> SignedQuantity:
        """Return the position with its direction."""
        return SignedQuantity(self.quantity)

    @property
    def entry_price(self) -> Price | None:
        """Return the average entry price; None when flat."""
        return None if self.quantity == 0 else Price(self.cost / self.quantity)

    def __add__(self, other: Holding) -> Holding:
        """Return both as one: the same thing held in two places."""
        return Holding(
            self.quantity + other.quantity,
            self.cost + other.cost,
            self.realised + other.realised,
            self.fees + other.fees,
            self.funding + other.funding,
        )

    def filled(self, side: Side, quantity: Quantity, price: Price, fee: Decimal) -> Holding:
        """Return the holding after one fill; a fill through zero closes, then opens anew."""
        change = quantity.value * side.sign
        closing = self._closing(change)
        taken_cost = self._cost_of(closing)
        opening = change + closing
        realised = closing * price.value - taken_cost
        return replace(
            self,
            quantity=self.quantity + change,
            cost=self.cost - taken_cost + opening * price.value,
            realised=self.realised + realised,
            fees=self.fees + fee,
        )

    def funded(self, amount: Decimal) -> Holding:
        """Return the holding after a funding payment; positive when received."""
        return replace(self, funding=self.funding + amount)

    def unrealised(self, mark: Decimal) -> Decimal:
        """Return the profit of the open part at `mark`, before fees."""
        return self.quantity * mark - self.cost

    def equity(self, mark: Decimal) -> Decimal:
        """Return what this holding has added to the account: profit and funding less fees."""
        return self.realised + self.unrealised(mark) + self.funding - self.fees

    def _closing(self, change: Decimal) -> Decimal:
        """Return the signed part of the position that `change` closes (sign of the position)."""
        if self.quantity * change >= 0:
            return ZERO
        size = min(abs(self.quantity), abs(change))
        return size if self.quantity > 0 else -size

    def _cost_of(self, closing: Decimal) -> Decimal:
        """Return the share of the cost that `closing` takes out; all of it when all closes."""
        if closing == self.quantity:
            return self.cost
        if closing == 0:
            return ZERO
        # Said, not left to the thread's context: client libraries of venues set that as they like.
        return (self.cost * closing / self.quantity).quantize(REALISED_PLACES, ROUND_HALF_EVEN)
