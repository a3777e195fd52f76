"""How many stand before us at our price: nobody tells, so a model says.

A book of levels shows how much stands at a price, not in which order. What everybody agrees on: who comes last stands
behind all of it, and a trade at the price takes from the front. The models differ in where they think the orders stood
that were withdrawn.

Sources, in our own words and code: Rigtorp, "Estimating order queue position"
(https://rigtorp.se/2013/06/08/estimating-order-queue-position.html) and hftbacktest's queue models (MIT licence,
https://hftbacktest.readthedocs.io/en/latest/order_fill.html), against which the results are held.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from moondev.domain.errors import InvalidValue


class Queue(ABC):
    """Where one order stands. Everything in lots; `ahead` below zero is what has already come through to us."""

    __slots__ = ("ahead",)

    def __init__(self, standing: int) -> None:
        """Join behind the `standing` lots of the level."""
        self.ahead: float = standing

    def traded(self, lots: int) -> None:
        """Let `lots` trade at our price."""
        self.ahead -= lots

    @abstractmethod
    def changed(self, before: int, after: int) -> None:
        """Let the level change from `before` to `after` lots."""

    @property
    def due(self) -> int:
        """Return how many whole lots have come through to us; of a probable lot, more than half counts."""
        return max(0, math.floor(0.5 - self.ahead))


class _AllBehind(Queue):
    __slots__ = ()

    def changed(self, before: int, after: int) -> None:  # noqa: ARG002 - only trades count
        # Never more before us than stand there at all.
        self.ahead = min(self.ahead, after)


class _Shared(Queue):
    """Withdrawn orders stood before and behind us, as `share` divides them."""

    __slots__ = ("_power", "_seen")

    def __init__(self, standing: int, power: float) -> None:
        super().__init__(standing)
        self._power = power
        self._seen = 0

    def traded(self, lots: int) -> None:
        super().traded(lots)
        self._seen += lots

    def changed(self, before: int, after: int) -> None:
        # What traded since the last change is in this one too, and has moved us already.
        withdrawn, self._seen = before - after - self._seen, 0
        if withdrawn >= 0:
            behind = before - self.ahead
            share = self._share_behind(behind)
            # More cannot be withdrawn behind us than stands there: the rest stood before us.
            beyond = min(behind - share * withdrawn, 0.0)
            self.ahead = self.ahead - (1.0 - share) * withdrawn + beyond
        self.ahead = min(self.ahead, after)

    def _share_behind(self, behind: float) -> float:
        ahead, behind = max(self.ahead, 0.0) ** self._power, max(behind, 0.0) ** self._power
        return behind / (ahead + behind) if ahead + behind else 1.0


class QueueModel(ABC):
    """Gives an order its place."""

    @abstractmethod
    def join(self, standing: int) -> Queue:
        """Return the place of an order that finds `standing` lots at its price."""


@dataclass(frozen=True, slots=True)
class RiskAverse(QueueModel):
    """Only trades bring us forward; whoever withdraws stood behind us. The worst that can be: believe this one."""

    def join(self, standing: int) -> Queue:
        """Return the place of an order that finds `standing` lots at its price."""
        return _AllBehind(standing)


@dataclass(frozen=True, slots=True)
class Proportional(QueueModel):
    """Withdrawn lots stood behind us with probability b^n / (b^n + a^n), with `a` lots ahead and `b` behind.

    `power` 1 is plain proportion; larger powers believe more firmly in the longer part of the queue.
    """

    power: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a power that is no number above zero."""
        if not (math.isfinite(self.power) and self.power > 0):
            raise InvalidValue("power", self.power, "a finite number above 0")

    def join(self, standing: int) -> Queue:
        """Return the place of an order that finds `standing` lots at its price."""
        return _Shared(standing, self.power)
