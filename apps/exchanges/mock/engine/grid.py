"""Integer units: every price, size and amount of money inside the engine is a whole number.

A price counts 10^-price_decimals, a size 10^-size_decimals and money a millionth of the quote
currency. Price and size decimals add up to six, so price x size is money with nothing to round.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from apps.exchanges.mock.engine.api import ASSET_DECIMALS, CASH_DECIMALS, InstrumentSpec
from moondev.domain.errors import InvalidValue

_STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(CASH_DECIMALS + 1))
CASH_UNIT = 10**CASH_DECIMALS
ASSET_UNIT = 10**ASSET_DECIMALS
_ASSET_STEP = Decimal(1).scaleb(-ASSET_DECIMALS)


def decimal_of(units: int, decimals: int) -> Decimal:
    """Return `units` of 10^-decimals as an exact Decimal."""
    return units * _STEPS[decimals]


def money(units: int) -> Decimal:
    """Return millionths of the quote currency as an exact Decimal."""
    return units * _STEPS[CASH_DECIMALS]


def amount(units: int) -> Decimal:
    """Return hundred-millionths of an asset as an exact Decimal."""
    return units * _ASSET_STEP


def amount_units(field: str, value: Decimal) -> int:
    """Return `value` in hundred-millionths of an asset. Raises InvalidValue when it has more than eight decimals."""
    units = whole_units(value, ASSET_UNIT)
    if units is None:
        raise InvalidValue(field, value, "a finite amount with at most 8 decimals")
    return units


def money_units(field: str, amount: Decimal) -> int:
    """Return `amount` in millionths. Raises InvalidValue when it has more than six decimals."""
    units = whole_units(amount, CASH_UNIT)
    if units is None:
        raise InvalidValue(field, amount, "a finite amount with at most 6 decimals")
    return units


def whole_units(number: Decimal, per_one: int) -> int | None:
    """Return number x per_one when that is a whole number, else None."""
    if not number.is_finite():
        return None
    scaled = number * per_one
    units = int(scaled)
    return units if units == scaled else None


def divided(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest whole number, halves away from zero."""
    quotient, rest = divmod(abs(numerator), denominator)
    if 2 * rest >= denominator:
        quotient += 1
    return quotient if numerator >= 0 else -quotient


@dataclass(frozen=True, slots=True)
class Grid:
    """The units of one instrument, and which prices its venue accepts.

    The rule (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/tick-and-lot-size):
    at most `sig_figs` significant figures and `price_decimals` decimals; integers are always valid.
    Elsewhere a price is a multiple of `tick` units.
    """

    price_decimals: int
    size_decimals: int
    sig_figs: int
    price_unit: int
    size_unit: int
    tick: int = 1

    @classmethod
    def of(cls, spec: InstrumentSpec) -> Grid:
        """Return the grid of `spec`."""
        decimals = spec.price_max_decimals
        unit = 10**decimals
        tick = 1 if spec.tick is None else int(spec.tick * unit)
        return cls(decimals, spec.sz_decimals, spec.sig_figs, unit, 10**spec.sz_decimals, tick)

    def price(self, units: int) -> Decimal:
        """Return a price in quote currency."""
        return units * _STEPS[self.price_decimals]

    def size(self, units: int) -> Decimal:
        """Return a size in base units."""
        return units * _STEPS[self.size_decimals]

    def price_units(self, price: Decimal) -> int | None:
        """Return `price` in units, None when the venue would not accept it."""
        units = whole_units(price, self.price_unit)
        return units if units is not None and units > 0 and self.holds(units) else None

    def size_units(self, size: Decimal) -> int | None:
        """Return `size` in units, None when it has too many decimals."""
        return whole_units(size, self.size_unit)

    def step_at(self, units: int) -> int:
        """Return the distance between neighbouring valid prices around `units`."""
        surplus = len(str(units)) - self.sig_figs
        return max(self.tick, min(10**surplus, self.price_unit)) if surplus > 0 else self.tick

    def holds(self, units: int) -> bool:
        """Return whether `units` is a valid price."""
        return units % self.step_at(units) == 0

    def floor(self, units: int) -> int:
        """Return the highest valid price that is not above `units`."""
        return units - units % self.step_at(units)

    def ceil(self, units: int) -> int:
        """Return the lowest valid price that is not below `units`."""
        return units + -units % self.step_at(units)

    def nearest(self, price: float) -> int:
        """Return the valid price next to a market price given as a float, one step or more."""
        units = max(1, round(price * self.price_unit))
        step = self.step_at(units)
        return max(step, (units + step // 2) // step * step)

    def average(self, notional: int, size: int) -> Decimal:
        """Return notional / size as a price with the instrument's price decimals."""
        exact = money(notional) / self.size(size)
        return exact.quantize(_STEPS[self.price_decimals], rounding=ROUND_HALF_EVEN)
