"""One approved order that asks for its part of the limits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from apps.risk.facts import RiskFacts
from apps.risk.scope import StrategyScope
from moondev.domain.decisions import RiskApproved
from moondev.domain.instruments import Instrument
from moondev.domain.orders import PlaceOrder
from moondev.domain.values import ZERO, Side

# Amount columns hold twelve places; a reservation is rounded up to what they can hold.
PLACES = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class ReserveItem:
    """One approved order that asks for exposure.

    `arrival_price` is the mid when it was planned: a sale may trade above its limit, so it reserves at
    the higher of both. None: at its own price. `facts` are those of an account that is not the strategy's own; None
    means the strategy's.
    """

    scope: StrategyScope
    approved: RiskApproved[PlaceOrder]
    instrument: Instrument
    arrival_price: Decimal | None = None
    facts: RiskFacts | None = None

    @property
    def reduces(self) -> bool:
        """Return whether it may only shrink a position: then it asks for nothing and is never refused."""
        return self.approved.request.purpose.reduces

    @property
    def amount(self) -> Decimal:
        """Return the most the order can come to hold, in the quote currency; zero when it reduces."""
        if self.reduces:
            return ZERO
        order = self.approved.request
        price = order.price.value
        if order.side is Side.SELL and self.arrival_price is not None:
            price = max(price, self.arrival_price)
        return (order.quantity.value * price).quantize(PLACES, rounding=ROUND_UP)

    @property
    def margin(self) -> Decimal:
        """Return the least that the venue ties up for it: its exposure at the most leverage the venue gives."""
        return self.amount / max(self.instrument.max_leverage, 1)
