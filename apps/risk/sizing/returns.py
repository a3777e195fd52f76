"""What each trade returned on what was paid for it, told fill by fill."""

from __future__ import annotations

from decimal import Decimal

from moondev.domain.portfolio import Holding
from moondev.domain.values import ZERO


class Returns:
    """The trades of one holding. A trade lasts from flat to flat, or to the other side.

    Its return is all it made, fees and funding included, over the most that it cost to hold.
    """

    def __init__(self) -> None:
        """Begin flat."""
        self._earned_before = ZERO
        self._largest = ZERO
        self._ended: list[float] = []

    def saw(self, before: Holding, after: Holding) -> None:
        """Note a fill that made `after` of `before`."""
        turned = before.quantity * after.quantity < 0
        if before.quantity and (after.quantity == 0 or turned):
            self._end(_earned(after))
        # Of a fill through zero all that was paid in fees counts for the trade that it ended.
        self._largest = max(self._largest, abs(after.cost))

    def taken(self) -> list[float]:
        """Return the trades that have ended since this was last asked."""
        ended, self._ended = self._ended, []
        return ended

    def _end(self, earned: Decimal) -> None:
        if self._largest > 0:
            self._ended.append(float((earned - self._earned_before) / self._largest))
        self._earned_before, self._largest = earned, ZERO


def _earned(holding: Holding) -> Decimal:
    return holding.realised + holding.funding - holding.fees
