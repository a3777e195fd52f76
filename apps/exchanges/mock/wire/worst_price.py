"""Market orders for an engine that wants a limit on everything: the worst price such an order may get."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.grid import Grid

SLIPPAGE = Decimal("0.05")


def worst_price(spec: InstrumentSpec, reference: Decimal, *, is_buy: bool, slippage: Decimal = SLIPPAGE) -> Decimal:
    """Return `reference` (mark or trigger price), moved by `slippage` against the taker, on the instrument's grid."""
    grid = Grid.of(spec)
    bound = reference * (1 + slippage if is_buy else 1 - slippage)
    return grid.price(grid.nearest(float(bound)))
