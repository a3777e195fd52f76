"""What a sizing rule says: a method with its numbers, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from moondev.domain.errors import InvalidValue


class SizingMethod(StrEnum):
    """How the multiple of equity is found that a weight of 1 stands for."""

    WEIGHT = "weight"
    FIXED_FRACTION = "fixed_fraction"
    ATR = "atr"
    REALISED = "realised"
    KELLY = "kelly"
    EQUAL_RISK = "equal_risk"


# What `target` means with each method, and the most it may be: beyond lies a typing error (20 for 20 %).
TARGETS: Mapping[SizingMethod, tuple[str, float]] = MappingProxyType(
    {
        SizingMethod.WEIGHT: ("not used", 1.0),
        SizingMethod.FIXED_FRACTION: ("multiple of equity", 20.0),
        SizingMethod.ATR: ("share of equity lost when price moves one average true range", 0.2),
        SizingMethod.REALISED: ("volatility of the strategy's equity in a year (0.2 is 20 %)", 3.0),
        SizingMethod.KELLY: ("part of the Kelly fraction (0.25 is a quarter)", 1.0),
        SizingMethod.EQUAL_RISK: ("volatility of the portfolio's equity in a year, shared by its strategies", 3.0),
    }
)
OF_MARKETS = frozenset({SizingMethod.ATR, SizingMethod.REALISED, SizingMethod.EQUAL_RISK})
FEWEST_BARS, MOST_BARS = 5, 500
SHORTEST_BAR, LONGEST_BAR = 60, 86_400
# Wilder's average never quite forgets how it began; after four times its length a fiftieth of that is left.
WARM_UP = 4


def _require(field: str, value: object, most: float, allowed: str) -> None:
    # Asked the way round that refuses what is no number, too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise InvalidValue(field, value, allowed)


def _require_whole(field: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidValue(field, value, f"a whole number from {least} to {most}")


@dataclass(frozen=True, slots=True)
class SizingRule:
    """One way to size a strategy; every number is a share or a multiple, never per cent.

    `bars` of `bar_seconds` are what volatility is measured on. `ceiling` is the most it may ever be, besides the
    strategy's leverage. `fewest_trades` and `start` are Kelly's: before so many trades are closed the multiple is
    `start`. `stops_at_drawdown` None: losses change nothing; else the size falls to nothing as drawdown reaches it.
    """

    method: SizingMethod = SizingMethod.WEIGHT
    target: float = 1.0
    bar_seconds: int = 3_600
    bars: int = 48
    ceiling: float = 20.0
    fewest_trades: int = 30
    start: float = 0.1
    stops_at_drawdown: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that no rule can mean, naming field, value and what is allowed."""
        if self.method not in SizingMethod.__members__.values():
            raise InvalidValue("method", self.method, ", ".join(SizingMethod))
        meaning, most = TARGETS[self.method]
        _require("target", self.target, most, f"a number above 0 and up to {most:g}: {meaning}")
        _require("ceiling", self.ceiling, 20.0, "a multiple above 0 and up to 20")
        _require("start", self.start, 1.0, "a multiple above 0 and up to 1")
        if self.stops_at_drawdown is not None:
            _require("stops_at_drawdown", self.stops_at_drawdown, 1.0, "a share above 0 and up to 1, or nothing")
        _require_whole("bars", self.bars, FEWEST_BARS, MOST_BARS)
        _require_whole("bar_seconds", self.bar_seconds, SHORTEST_BAR, LONGEST_BAR)
        # Fewer than ten say nothing about a mean.
        _require_whole("fewest_trades", self.fewest_trades, 10, 10_000)

    @property
    def interval(self) -> timedelta:
        """Return the length of the bars that volatility is measured on."""
        return timedelta(seconds=self.bar_seconds)

    @property
    def needs(self) -> Mapping[timedelta, int]:
        """Return how many closed bars it looks at, by their length; nothing when it looks at none."""
        if self.method not in OF_MARKETS:
            return {}
        # One more: the first bar's range and return want the close before it.
        return {self.interval: self.bars * (WARM_UP if self.method is SizingMethod.ATR else 1) + 1}

    @property
    def is_constant(self) -> bool:
        """Return whether the multiple is the same at every tick."""
        constant = self.method in {SizingMethod.WEIGHT, SizingMethod.FIXED_FRACTION}
        return constant and self.stops_at_drawdown is None

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `rule_of_json` reads."""
        return {name: str(value) if name == "method" else value for name, value in asdict(self).items()}


PLAIN = SizingRule()


def rule_of_json(stored: Mapping[str, Any]) -> SizingRule:
    """Return the rule that `to_json` wrote; the plain one of nothing. Raises InvalidValue as the rule does."""
    known = [one.name for one in fields(SizingRule)]
    if unknown := sorted(set(stored) - set(known)):
        raise InvalidValue("sizing", ", ".join(unknown), f"only {', '.join(known)}")
    method = stored.get("method", SizingMethod.WEIGHT.value)
    if method not in SizingMethod.__members__.values():
        raise InvalidValue("method", method, ", ".join(SizingMethod))
    return SizingRule(**{**stored, "method": SizingMethod(method)})
