"""Market orders for an engine that wants a limit on everything: the worst price such an order may get."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.grid import Grid

SLIPPAGE = Decimal("0.05")


def worst_price(spec: InstrumentSpec, reference: Decimal, *, is_buy: bool) -> Decimal:
    """Return `reference` (mark or trigger price), five per cent against the taker, on the instrument's grid."""
    grid = Grid.of(spec)
    bound = reference * (1 + SLIPPAGE if is_buy else 1 - SLIPPAGE)
    return grid.price(grid.nearest(float(bound)))
