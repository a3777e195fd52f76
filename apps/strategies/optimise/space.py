"""What may be varied: one dimension per parameter, each with a way from [0, 1) to a value and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from moondev.domain.errors import InvalidValue

Scalar: TypeAlias = str | int | float | bool
Point: TypeAlias = Mapping[str, Scalar]

# What is written down can be read, compared and typed in again; beyond this, digits of a parameter say nothing.
SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole numbers from `low` to `high`, both included, by `step`; even on a log scale where `log`."""

    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty range, a step that does not advance and logarithms of what has none."""
        _require_range(self.name, self.low, self.high, log=self.log)
        if self.step < 1 or (self.log and self.step != 1):
            raise InvalidValue(self.name, f"step {self.step}", "a step of 1 or more; none with log")

    @property
    def count(self) -> int:
        """Return how many values there are."""
        return (self.high - self.low) // self.step + 1

    def value(self, unit: float) -> int:
        """Return the value at `unit` of [0, 1)."""
        if not self.log:
            return self.low + min(int(unit * self.count), self.count - 1) * self.step
        low, high = self._logarithms
        return min(max(round(math.exp(low + unit * (high - low))), self.low), self.high)

    def unit(self, value: Scalar) -> float:
        """Return where in [0, 1] `value` lies: the middle of its share."""
        if not self.log:
            return ((float(value) - self.low) / self.step + 0.5) / self.count
        low, high = self._logarithms
        return (math.log(float(value)) - low) / (high - low)

    @property
    def _logarithms(self) -> tuple[float, float]:
        """Return the ends, half a number further out, so that the ends are as likely as their neighbours."""
        return math.log(self.low - 0.5), math.log(self.high + 0.5)

    def levels(self, count: int) -> tuple[int, ...]:
        """Return `count` values, evenly spread; fewer when there are not so many."""
        return tuple(dict.fromkeys(self.value((index + 0.5) / count) for index in range(count)))


@dataclass(frozen=True, slots=True)
class Real:
    """Numbers from `low` to `high`; on a grid of `step` from `low` on when there is one, else of six digits."""

    name: str
    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty range, a step that does not advance and logarithms of what has none."""
        _require_range(self.name, self.low, self.high, log=self.log)
        if self.step is not None and (self.log or not 0 < self.step <= self.high - self.low):
            raise InvalidValue(self.name, f"step {self.step}", "a step above 0 that fits the range; none with log")

    @property
    def count(self) -> int | None:
        """Return how many values there are; None when any number will do."""
        if self.step is None:
            return None if self.low < self.high else 1
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def value(self, unit: float) -> float:
        """Return the value at `unit` of [0, 1)."""
        steps = self.count
        if self.step is not None and steps is not None:
            number = self.low + min(int(unit * steps), steps - 1) * self.step
        elif self.log:
            number = self.low * (self.high / self.low) ** unit
        else:
            number = self.low + unit * (self.high - self.low)
        return min(max(float(f"{number:.{SIGNIFICANT_DIGITS}g}"), self.low), self.high)

    def unit(self, value: Scalar) -> float:
        """Return where in [0, 1] `value` lies."""
        if self.low == self.high:
            return 0.5
        if self.log:
            return math.log(float(value) / self.low) / math.log(self.high / self.low)
        return (float(value) - self.low) / (self.high - self.low)

    def levels(self, count: int) -> tuple[float, ...]:
        """Return `count` values, evenly spread, the ends included; fewer when there are not so many."""
        if self.step is not None or count == 1:
            return tuple(dict.fromkeys(self.value((index + 0.5) / count) for index in range(count)))
        return tuple(dict.fromkeys(self.value(index / (count - 1)) for index in range(count)))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values without an order."""

    name: str
    options: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        """Refuse nothing to choose from, and the same thing twice."""
        if not self.options or len(set(map(repr, self.options))) != len(self.options):
            raise InvalidValue(self.name, self.options, "one or more different options")

    @property
    def count(self) -> int:
        """Return how many values there are."""
        return len(self.options)

    def value(self, unit: float) -> Scalar:
        """Return the value at `unit` of [0, 1)."""
        return self.options[min(int(unit * len(self.options)), len(self.options) - 1)]

    def unit(self, value: Scalar) -> float:
        """Return where in [0, 1] `value` lies; the middle of its share."""
        return (self.options.index(value) + 0.5) / len(self.options)

    def levels(self, count: int) -> tuple[Scalar, ...]:
        """Return the first `count` options."""
        return self.options[:count]


Dimension: TypeAlias = Whole | Real | Choice


@dataclass(frozen=True, slots=True)
class Space:
    """The dimensions that are searched, in order."""

    dimensions: tuple[Dimension, ...]

    def __post_init__(self) -> None:
        """Refuse nothing to search and a parameter named twice."""
        names = self.names
        if not names:
            raise InvalidValue("space", "no parameter", "at least one to search; name one with --space")
        if len(set(names)) != len(names):
            raise InvalidValue("space", ", ".join(names), "each parameter once")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters."""
        return tuple(dimension.name for dimension in self.dimensions)

    def point(self, units: Mapping[str, float]) -> dict[str, Scalar]:
        """Return the values at `units`, one of [0, 1) per dimension."""
        return {dimension.name: dimension.value(units[dimension.name]) for dimension in self.dimensions}


def _require_range(name: str, low: float, high: float, *, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InvalidValue(name, f"{low}:{high}", "a low and a high, in this order")
    if log and low <= 0:
        raise InvalidValue(name, f"{low}:{high}:log", "a low above 0 for a log scale")
