"""What every strategy of bracketed trades lets an operator set."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from apps.strategies.base import Parameters
from apps.strategies.library.intervals import INTERVALS, Interval

# After 15 lengths less than e^-15 of a Wilder average is still its seed.
WARM_UP_LENGTHS = 15


class BracketedParameters(Parameters):
    """On which bars, in which direction, how much and how often at once."""

    interval: Interval = Field("15m", description="Length of a bar.")
    sides: Literal["both", "long", "short"] = Field("both", description="Which trades to open.")
    weight: float = Field(0.1, gt=0, le=1, description="Share of the allocation that one trade takes.")
    max_positions: int = Field(10, ge=1, le=100, description="Trades open or being entered at once, at most.")
    max_hold_bars: int = Field(0, ge=0, le=10_000, description="Bars after which a trade is closed; 0 is never.")

    @property
    def bar(self) -> timedelta:
        """Return the length of a bar."""
        return INTERVALS[self.interval]

    def takes(self, direction: int) -> bool:
        """Return whether trades of `direction` (1 long, -1 short) may be opened."""
        return self.sides == "both" or (direction > 0) == (self.sides == "long")
