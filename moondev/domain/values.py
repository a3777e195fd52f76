"""Amounts on the order path: frozen values over ``Decimal`` that know their unit.

A bad number raises at birth, so no later line has to ask whether an amount is usable.
Market data and indicators are float64 arrays and never become one of these except in the planner.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from enum import StrEnum
from typing import Self

from moondev.domain.errors import InvalidValue

BPS_IN_ONE = Decimal(10_000)
ZERO = Decimal(0)


class Side(StrEnum):
    """Direction of an order or fill. Strings, so they cannot be mistaken for a venue's numbers."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @classmethod
    def of(cls, signed: Decimal) -> Side:
        """Return the side whose sign `signed` has. Raises InvalidValue for zero."""
        if signed == 0:
            raise InvalidValue("side", signed, "a quantity other than zero")
        return cls.BUY if signed > 0 else cls.SELL


def finite_decimal(field: str, value: object) -> Decimal:
    """Return `value` as a finite Decimal; floats are refused because they are already rounded.

    Raises InvalidValue when `value` is a float, not a number, NaN or infinite.
    """
    if isinstance(value, float | bool):
        raise InvalidValue(field, value, "a Decimal, integer or decimal string")
    # Python reads digits of every script, and underscores between them; no venue writes either.
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        raise InvalidValue(field, value, "a decimal number")
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise InvalidValue(field, value, "a decimal number") from None
    if not number.is_finite():
        raise InvalidValue(field, value, "a finite number")
    return number


@dataclass(frozen=True, slots=True, order=True)
class Price:
    """Quote currency per one unit of base. Always above zero."""

    value: Decimal

    def __post_init__(self) -> None:
        """Refuse anything but a finite number above zero."""
        number = finite_decimal("price", self.value)
        if number <= 0:
            raise InvalidValue("price", self.value, "a number above 0")
        object.__setattr__(self, "value", number)

    def __str__(self) -> str:
        """Return the plain decimal text, never with an exponent."""
        return f"{self.value:f}"

    def moved(self, bps: Bps) -> Price:
        """Return this price moved by `bps` basis points (up when positive)."""
        return Price(self.value * (1 + bps.fraction))

    def distance_bps(self, other: Price) -> Bps:
        """Return how far this price lies from `other`, in basis points of `other`, unsigned."""
        return Bps(abs(self.value - other.value) / other.value * BPS_IN_ONE)


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """Units of base currency without direction. Zero or more."""

    value: Decimal

    def __post_init__(self) -> None:
        """Refuse anything but a finite number of zero or more."""
        number = finite_decimal("quantity", self.value)
        if number < 0:
            raise InvalidValue("quantity", self.value, "a number of 0 or more")
        object.__setattr__(self, "value", number)

    def __str__(self) -> str:
        """Return the plain decimal text, never with an exponent."""
        return f"{self.value:f}"

    def __bool__(self) -> bool:
        """Return whether there is any quantity at all."""
        return self.value != 0

    def __add__(self, other: Quantity) -> Quantity:
        """Return the sum of two quantities."""
        return Quantity(self.value + other.value)

    def __sub__(self, other: Quantity) -> Quantity:
        """Return the difference. Raises InvalidValue when it would be negative."""
        return Quantity(self.value - other.value)

    def at(self, price: Price, currency: str) -> Money:
        """Return the notional of this quantity at `price`."""
        return Money(self.value * price.value, currency)

    def signed(self, side: Side) -> SignedQuantity:
        """Return this quantity with the direction of `side`."""
        return SignedQuantity(self.value * side.sign)

    def floored(self, step: Quantity) -> Quantity:
        """Return the largest multiple of `step` that is not above this quantity."""
        if not step:
            raise InvalidValue("step", step.value, "a number above 0")
        steps = (self.value / step.value).to_integral_value(rounding=ROUND_DOWN)
        return Quantity(steps * step.value)


@dataclass(frozen=True, slots=True, order=True)
class SignedQuantity:
    """Units of base currency with direction: positive is long, negative is short."""

    value: Decimal

    def __post_init__(self) -> None:
        """Refuse anything but a finite number."""
        object.__setattr__(self, "value", finite_decimal("signed quantity", self.value))

    def __bool__(self) -> bool:
        """Return whether there is a position at all."""
        return self.value != 0

    def __add__(self, other: SignedQuantity) -> SignedQuantity:
        """Return the sum of two signed quantities."""
        return SignedQuantity(self.value + other.value)

    def __sub__(self, other: SignedQuantity) -> SignedQuantity:
        """Return the difference of two signed quantities."""
        return SignedQuantity(self.value - other.value)

    def __neg__(self) -> SignedQuantity:
        """Return the mirrored position."""
        return SignedQuantity(-self.value)

    @property
    def size(self) -> Quantity:
        """Return the quantity without its direction."""
        return Quantity(abs(self.value))

    @property
    def side(self) -> Side:
        """Return the side that opens this position. Raises InvalidValue when flat."""
        return Side.of(self.value)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. USDT, USDC and USD are three currencies and never add up."""

    value: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse an unnamed currency and anything but a finite number."""
        if not self.currency:
            raise InvalidValue("currency", self.currency, "a currency code such as USDC")
        object.__setattr__(self, "value", finite_decimal("money", self.value))

    def __str__(self) -> str:
        """Return amount and currency."""
        return f"{self.value:f} {self.currency}"

    def __add__(self, other: Money) -> Money:
        """Return the sum. Raises InvalidValue when the currencies differ."""
        return Money(self.value + self._same(other).value, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Return the difference. Raises InvalidValue when the currencies differ."""
        return Money(self.value - self._same(other).value, self.currency)

    def __neg__(self) -> Money:
        """Return the amount with its sign turned."""
        return Money(-self.value, self.currency)

    def times(self, factor: Decimal) -> Money:
        """Return this amount scaled by a plain number."""
        return Money(self.value * finite_decimal("factor", factor), self.currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return nothing of `currency`."""
        return cls(ZERO, currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise InvalidValue("currency", other.currency, f"{self.currency}, as the other amount")
        return other


@dataclass(frozen=True, slots=True, order=True)
class Bps:
    """Basis points: one hundredth of a per cent. Signed."""

    value: Decimal

    def __post_init__(self) -> None:
        """Refuse anything but a finite number."""
        object.__setattr__(self, "value", finite_decimal("bps", self.value))

    @property
    def fraction(self) -> Decimal:
        """Return the plain fraction, e.g. 0.0001 for one basis point."""
        return self.value / BPS_IN_ONE
