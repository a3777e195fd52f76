"""Whole numbers of the chain: sizes in quantums, prices in subticks.

https://docs.dydx.xyz/concepts/trading/quantums: a size is quantums x 10^atomicResolution; a price is subticks x
10^quantumConversionExponent x 10^(the quote's resolution, -6) / 10^atomicResolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.api import InstrumentSpec

QUANTUM_CONVERSION_EXPONENT = -9
_QUOTE_RESOLUTION = -6
_STEP_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """The units of one market. `pair` is the number of its order book on the chain."""

    pair: int
    coin: str
    lot: Decimal
    tick: Decimal
    atomic_resolution: int

    @classmethod
    def of(cls, spec: InstrumentSpec) -> Scale:
        """Return the units of `spec`: the smallest size is a million quantums, as on the chain's large markets."""
        tick = spec.tick or Decimal(1).scaleb(-spec.price_max_decimals)
        return cls(spec.asset_id, spec.coin, spec.lot, tick, -spec.sz_decimals - _STEP_DIGITS)

    @property
    def step_quantums(self) -> int:
        """Return the smallest size in quantums, of which every size is a multiple."""
        return int(self.lot.scaleb(-self.atomic_resolution))

    @property
    def subticks_per_tick(self) -> int:
        """Return the price step in subticks, of which every price is a multiple."""
        return int(self.tick.scaleb(-self._price_exponent))

    @property
    def _price_exponent(self) -> int:
        return QUANTUM_CONVERSION_EXPONENT + _QUOTE_RESOLUTION - self.atomic_resolution

    def size(self, quantums: int) -> Decimal:
        """Return a size in base units."""
        return Decimal(quantums).scaleb(self.atomic_resolution)

    def price(self, subticks: int) -> Decimal:
        """Return a price in quote currency."""
        return Decimal(subticks).scaleb(self._price_exponent)
