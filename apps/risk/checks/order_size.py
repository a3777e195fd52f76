"""Order size: whole lots, at least the venue's minimum worth, and an amendment never grows."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode


def find_wrong_size(candidate: Candidate) -> Breach | None:
    """Return a breach of the venue's rules of size. An exit may be small if it closes everything."""
    quantity, lot = candidate.quantity.value, candidate.instrument.lot.value
    if quantity < lot:
        return Breach(RefusalCode.QUANTITY_BELOW_LOT, lot, quantity)
    if quantity % lot != 0:
        return Breach(RefusalCode.QUANTITY_OFF_GRID, lot, quantity)
    if candidate.amended is not None and candidate.quantity > candidate.amended.remaining:
        return Breach(RefusalCode.QUANTITY_EXCEEDS_MAXIMUM, candidate.amended.remaining.value, quantity)
    minimum = candidate.instrument.min_notional.value
    if candidate.notional < minimum and not closes_everything(candidate):
        return Breach(RefusalCode.NOTIONAL_BELOW_MINIMUM, minimum, candidate.notional)
    return None


def closes_everything(candidate: Candidate) -> bool:
    """Return whether the candidate is an exit of the whole position."""
    return candidate.reduces and candidate.quantity.value >= abs(candidate.held)


ORDER_SIZE = Check(
    name="order size",
    codes={
        RefusalCode.QUANTITY_BELOW_LOT: "The quantity is less than one lot of the instrument.",
        RefusalCode.QUANTITY_OFF_GRID: "The quantity is not a whole number of lots.",
        RefusalCode.QUANTITY_EXCEEDS_MAXIMUM: "An amendment asks for more than the order still had open.",
        RefusalCode.NOTIONAL_BELOW_MINIMUM: "Quantity x price is below the venue's minimum and closes no position.",
    },
    find=find_wrong_size,
    binds_reducing=True,
)
