"""By how much a figure of an account may change between two answers of a venue, seconds apart."""

from __future__ import annotations

from decimal import Decimal

# As a share of the larger one. What moves more is a mistake, moved money or a crash: asked again, it shows which.
JUMP = Decimal("0.20")


def close_to(one: Decimal, other: Decimal, share: Decimal = JUMP) -> bool:
    """Return whether two figures differ by at most `share` of the larger, by size."""
    return abs(one - other) <= share * max(abs(one), abs(other))
