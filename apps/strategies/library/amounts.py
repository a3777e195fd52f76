"""From float64 to exact amounts. Rounding to tick and lot is the planner's and nobody else's."""

from __future__ import annotations

from decimal import Decimal

from moondev.domain.values import Price, Quantity


def exact(number: float) -> Decimal:
    """Return the shortest decimal that reads back as `number`."""
    return Decimal(repr(float(number)))


def price_of(number: float) -> Price:
    """Return `number` as a Price. Raises InvalidValue unless it is finite and above 0."""
    return Price(exact(number))


def quantity_of(number: float) -> Quantity:
    """Return `number` as a Quantity. Raises InvalidValue unless it is finite and 0 or more."""
    return Quantity(exact(number))
