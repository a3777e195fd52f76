"""What a check leaves behind: figures, whether they lie within limits, and words for a reader."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from moondev.domain.errors import InvalidValue


class CheckCode(StrEnum):
    """The questions, in the order they are asked: the first must see nothing of what comes later."""

    LOOK_AHEAD = "look-ahead"
    DRIFT = "drift"
    FEES = "fees"
    STABILITY = "stability"
    WALK_FORWARD = "walk-forward"
    TRADE_ORDER = "trade-order"
    RANDOM_ENTRIES = "random-entries"
    DEFLATED_SHARPE = "deflated-sharpe"


Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Limit:
    """The range in which a check's figure passes, its ends included; None is no end."""

    check: CheckCode
    figure: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        """Refuse a limit that limits nothing, and one that nothing can meet."""
        ends = [end for end in (self.at_least, self.at_most) if end is not None]
        if not ends or not all(math.isfinite(end) for end in ends):
            raise InvalidValue(self.figure, (self.at_least, self.at_most), "one finite end or two")
        if len(ends) == 2 and ends[0] > ends[1]:
            raise InvalidValue(self.figure, (self.at_least, self.at_most), "a lower end below the upper")

    def refusal(self, value: float) -> str:
        """Return why `value` does not pass; empty when it does."""
        if self.at_least is not None and not value >= self.at_least:
            return f"{self.figure} is {value:.4g}, at least {self.at_least:g} is wanted"
        if self.at_most is not None and not value <= self.at_most:
            return f"{self.figure} is {value:.4g}, at most {self.at_most:g} is wanted"
        return ""


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to one question. `passed` None: it could not be judged, and `words` say why.

    `findings` are the places where something was found; `backtests` how many were run for it; `days` how much past
    the answer stands on.
    """

    code: CheckCode
    passed: bool | None
    figures: Figures
    words: str
    findings: tuple[str, ...] = ()
    backtests: int = 0
    days: float = 0.0

    @property
    def verdict(self) -> str:
        """Return passed, failed or not judged."""
        return {True: "passed", False: "failed", None: "not judged"}[self.passed]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether figures pass, and the limits they broke or could not be held to."""

    passed: bool | None
    reasons: tuple[str, ...] = field(default=())


def judged(code: CheckCode, figures: Figures, limits: Iterable[Limit]) -> Judgement:
    """Return whether `figures` pass every limit set for `code`.

    One broken limit fails, whatever the others say. A figure that a limit names and that is missing leaves the
    question open; so does a check without any limit, which nothing could fail.
    """
    mine = [limit for limit in limits if limit.check is code]
    if not mine:
        return Judgement(None, ("no limit is set for it",))
    values = {limit.figure: figures.get(limit.figure) for limit in mine}
    broken = [
        refusal for limit in mine if (value := values[limit.figure]) is not None and (refusal := limit.refusal(value))
    ]
    if broken:
        return Judgement(False, tuple(broken))
    unknown = sorted(name for name, value in values.items() if value is None)
    if unknown:
        return Judgement(None, tuple(f"{name} could not be computed" for name in unknown))
    return Judgement(True)
