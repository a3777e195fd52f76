"""What a fill cost against the price at which it was planned."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from moondev.domain.values import Price, Quantity, Side

# Amount columns hold twelve places; rounded once here, the sum of fills is that of their position.
_PLACES = Decimal("1e-12")


def slippage_of(side: Side, quantity: Quantity, price: Price, benchmark: Decimal | None) -> Decimal | None:
    """Return how much dearer a fill was than `benchmark`, in the quote currency; below zero when it was better.

    The benchmark of an order is the mid when it was planned, or else the price at which its trigger was to fire. None:
    nobody planned it, so there is nothing to compare with.
    """
    if benchmark is None:
        return None
    return ((price.value - benchmark) * quantity.value * side.sign).quantize(_PLACES, ROUND_HALF_EVEN)
