"""What a strategy of bracketed trades has to answer; the rest of a trade's life is the same for all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, SupportsFloat

from apps.strategies.library.bracketed.scene import Scene

Direction = Literal[-1, 1]


@dataclass(frozen=True, slots=True)
class Bracket:
    """Where a trade ends: prices in quote currency, None where there is none."""

    stop: float | None = None
    take_profit: float | None = None

    def moved(self, ratio: float) -> Bracket:
        """Return the same distances in per cent from an entry that is `ratio` times the planned one."""
        stop = None if self.stop is None else self.stop * ratio
        return Bracket(stop, None if self.take_profit is None else self.take_profit * ratio)


@dataclass(frozen=True, slots=True)
class Entry:
    """A trade that the newest bar calls for.

    `price` is the limit when it `rests`, else what the bar closed at. `strength` ranks the entries
    of one tick. `valid_bars` is how long it may wait for its fill, `hold_bars` how long the trade
    may last (0 is for ever). With `follows_fill` the bracket keeps its distance in per cent from
    the price paid; without, its levels belong to the market and stay.
    """

    direction: Direction
    label: str
    price: float
    bracket: Bracket
    strength: float = 0.0
    rests: bool = False
    follows_fill: bool = False
    valid_bars: int = 1
    hold_bars: int = 0


class Rules(Protocol):
    """The idea itself: when to enter, when to leave, and how to guard a position found."""

    def entry(self, scene: Scene) -> tuple[Entry | None, str]:
        """Return the trade that the newest bar calls for, or None and a note (may be empty)."""

    def leave(self, direction: Direction, scene: Scene) -> str:
        """Return why a trade of `direction` is over by the newest bar; empty when it is not."""

    def guard(self, direction: Direction, price: float, scene: Scene) -> Bracket:
        """Return the bracket of a position at `price` that no trade explains."""


class BracketOnly:
    """The way out of an idea whose trades end by their bracket or their time and nothing else."""

    def leave(self, direction: Direction, scene: Scene) -> str:  # noqa: ARG002  others do look
        """Return that the newest bar ends nothing."""
        return ""


def direction_of(sign: float) -> Direction | None:
    """Return the direction of a number that is not 0; None for 0 and NaN."""
    if sign > 0:
        return 1
    return -1 if sign < 0 else None


def known(level: SupportsFloat) -> float | None:
    """Return `level`, None where it is no finite number."""
    number = float(level)
    return number if math.isfinite(number) else None
