"""Price grid: only prices that the venue can quote."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode


def find_price_off_grid(candidate: Candidate) -> Breach | None:
    """Return a breach when the limit or trigger price is none of the instrument's prices."""
    grid = candidate.instrument.price_grid
    for price in (candidate.price, candidate.trigger_price):
        if price is not None and not grid.holds(price):
            return Breach(RefusalCode.PRICE_OFF_GRID, grid.step_at(price.value), price.value)
    return None


PRICE_GRID = Check(
    name="price grid",
    codes={RefusalCode.PRICE_OFF_GRID: "The limit or trigger price is not on the venue's grid."},
    find=find_price_off_grid,
    binds_reducing=True,
)
