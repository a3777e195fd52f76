"""Markets of the chain and their whole numbers: sizes in quantums, prices in subticks.

https://docs.dydx.xyz/concepts/trading/quantums
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.ports import Listing
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Price, Quantity

_QUOTE_RESOLUTION = -6
_LARGEST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Market:
    """One market: what we call it, what the chain calls it, and its units.

    `leverage` is what the chain allows: the inverse of the initial margin fraction, rounded down.
    """

    listing: Listing
    atomic_resolution: int
    quantum_conversion_exponent: int
    step_quantums: int
    subticks_per_tick: int
    leverage: int

    @property
    def pair(self) -> int:
        """Return the number of the market's order book on the chain."""
        return self.listing.venue_asset_id

    def quantums(self, size: Quantity) -> int:
        """Return a size in quantums. Raises InvalidValue when it is not on the grid."""
        exact = size.value.scaleb(-self.atomic_resolution)
        return _whole("quantity", size.value, exact, self.step_quantums)

    def subticks(self, price: Price, field: str = "price") -> int:
        """Return a price in subticks. Raises InvalidValue when it is not on the grid."""
        exponent = self.quantum_conversion_exponent + _QUOTE_RESOLUTION - self.atomic_resolution
        return _whole(field, price.value, price.value.scaleb(-exponent), self.subticks_per_tick)


def _whole(field: str, given: Decimal, exact: Decimal, step: int) -> int:
    if exact != int(exact) or int(exact) % step or not 0 < exact <= _LARGEST:
        raise InvalidValue(field, given, "a number above 0 on the market's grid")
    return int(exact)
