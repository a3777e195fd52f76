"""A measurement: a value in each scope, or that there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.monitor.alerts.look import Look

# Beyond this a number is no measurement any more, and no column of ours holds it.
LARGEST = Decimal(10) ** 15
EVERYTHING = "everything:*"
YES, NO = Decimal(1), Decimal(0)


class Source(StrEnum):
    """Where a reading comes from: what must answer for there to be one."""

    DATABASE = "database"
    CACHE = "cache"
    BROKER = "broker"
    MACHINE = "machine"


class Unit(StrEnum):
    """What a reading is counted in."""

    SHARE = "share (1 is all)"
    SECONDS = "seconds"
    NUMBER = "number"
    YES_NO = "1 if so, 0 if not"


@dataclass(frozen=True, slots=True)
class Measured:
    """A value in one scope; None is not known, never zero. `within` are the scopes around it, `detail` is for people.

    What is no finite number is not known either.
    """

    value: Decimal | None
    detail: str = ""
    within: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take what is no number, or beyond all measure, for what it is: nothing known."""
        if self.value is not None and not (self.value.is_finite() and abs(self.value) < LARGEST):
            object.__setattr__(self, "value", None)


Readings = Mapping[str, Measured]


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of reading: what it says, in which unit, in which kinds of scope, where from, and how it is taken.

    No reading is below zero.
    """

    name: str
    words: str
    unit: Unit
    kinds: tuple[str, ...]
    source: Source
    take: Callable[[Look], Readings]


def number(value: float | Decimal | None) -> Decimal | None:
    """Return a number as it is compared and kept: with six decimals. None, and what is no number, is None."""
    if value is None or not math.isfinite(value):
        return None
    return round(value if isinstance(value, Decimal) else Decimal(repr(float(value))), 6)


def seconds(duration: timedelta) -> Decimal:
    """Return a duration, never below zero: clocks of two machines may differ."""
    return max(round(Decimal(repr(duration.total_seconds())), 3), NO)


def scope(kind: str, key: str) -> str:
    """Return the name of a scope."""
    return f"{kind}:{key}"
