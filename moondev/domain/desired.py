"""What a strategy may say: a state it wants, never an order."""

from __future__ import annotations

import math
from dataclasses import dataclass

from moondev.domain.errors import InvalidValue
from moondev.domain.values import Bps, Price, Quantity, Side


@dataclass(frozen=True, slots=True)
class Target:
    """Hold `weight` of the strategy's capital in one instrument.

    `weight` lies in [-1, 1]: 1 is the whole allocation (capital x the strategy's leverage) long.
    `entry` None means at the market, else a resting limit; `stop` and `take_profit` None mean none.
    `signal_id` names the signal: the size is fixed when it first appears (turtle: one per unit). `edge` is what the
    trade is expected to make before fees, of its worth; None says nothing of it, and then only a take-profit does.
    """

    instrument: str
    weight: float
    signal_id: str
    reason: str
    entry: Price | None = None
    stop: Price | None = None
    take_profit: Price | None = None
    edge: Bps | None = None

    def __post_init__(self) -> None:
        """Refuse a weight that is not a number in [-1, 1] and an empty signal id."""
        if not isinstance(self.weight, int | float) or math.isnan(self.weight):
            raise InvalidValue("weight", self.weight, "a number from -1 to 1")
        if not -1 <= self.weight <= 1:
            raise InvalidValue("weight", self.weight, "a number from -1 to 1")
        if not self.signal_id:
            raise InvalidValue("signal_id", self.signal_id, "a name of the signal")


@dataclass(frozen=True, slots=True)
class Quote:
    """One price at which a maker wants to trade, and how much."""

    price: Price
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Quotes:
    """Rest these bids and asks, best first, and nothing else. Empty sides are pulled."""

    instrument: str
    bids: tuple[Quote, ...]
    asks: tuple[Quote, ...]
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse quotes that would trade with each other."""
        if self.bids and self.asks and self.bids[0].price >= self.asks[0].price:
            raise InvalidValue("quotes", f"{self.bids[0].price} >= {self.asks[0].price}", "bid < ask")

    def side(self, side: Side) -> tuple[Quote, ...]:
        """Return the quotes of one side."""
        return self.bids if side is Side.BUY else self.asks


@dataclass(frozen=True, slots=True)
class Legs:
    """Targets that only make sense together; an unfilled leg after `max_leg_gap_ms` undoes all."""

    targets: tuple[Target, ...]
    max_leg_gap_ms: int

    def __post_init__(self) -> None:
        """Refuse fewer than two legs and a gap that is not above zero."""
        if len(self.targets) < 2:
            raise InvalidValue("targets", len(self.targets), "two legs or more")
        if self.max_leg_gap_ms <= 0:
            raise InvalidValue("max_leg_gap_ms", self.max_leg_gap_ms, "a number above 0")


Desired = Target | Quotes | Legs
