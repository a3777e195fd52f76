"""What must have been answered, and how, before a strategy goes further."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from apps.strategies.backtest.honesty.check import Check, CheckCode, Limit, judged
from apps.strategies.backtest.honesty.limits import LIMITS
from moondev.domain.errors import InvalidValue


class Lacking(StrEnum):
    """Why a requirement is not met."""

    MISSING = "missing"
    TOO_SHORT = "too little past"
    NOT_JUDGED = "not judged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A check that must have passed within `limits`, on `days` of past at least."""

    check: CheckCode
    limits: tuple[Limit, ...]
    days: float = 0.0

    def __post_init__(self) -> None:
        """Refuse days below zero and limits of another check."""
        if not self.days >= 0:
            raise InvalidValue("days", self.days, "0 or more")
        others = sorted({limit.check for limit in self.limits} - {self.check})
        if others:
            raise InvalidValue("limits", ", ".join(others), f"limits of {self.check}")


@dataclass(frozen=True, slots=True)
class Lack:
    """One requirement that is not met, and why in words."""

    check: CheckCode
    why: Lacking
    words: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.check}: {self.why}; {self.words}"


# A month is the least in which a market shows more than one of its moods.
DAYS = 30.0
REQUIREMENTS: tuple[Requirement, ...] = tuple(
    Requirement(code, tuple(limit for limit in LIMITS if limit.check is code), DAYS) for code in CheckCode
)


def gate(checks: Iterable[Check], requirements: Iterable[Requirement] = REQUIREMENTS) -> tuple[Lack, ...]:
    """Return what is lacking; empty when every requirement is met.

    `checks` are answers about one code hash and one set of parameters, oldest first: the newest of each counts. They
    are judged anew by their figures, so that limits may change after they were run. Without requirements nothing is
    lacking: a gate that asks for nothing is open.
    """
    newest = {check.code: check for check in checks}
    lacks = (_lack(requirement, newest.get(requirement.check)) for requirement in requirements)
    return tuple(lack for lack in lacks if lack is not None)


def _lack(requirement: Requirement, check: Check | None) -> Lack | None:
    code = requirement.check
    if check is None:
        return Lack(code, Lacking.MISSING, "it was not run for this code and these parameters")
    if check.days < requirement.days:
        return Lack(code, Lacking.TOO_SHORT, f"it ran on {check.days:.1f} days, {requirement.days:g} are required")
    if check.passed is None:
        return Lack(code, Lacking.NOT_JUDGED, check.words)
    judgement = judged(code, check.figures, requirement.limits)
    if judgement.passed:
        return None
    why = Lacking.NOT_JUDGED if judgement.passed is None else Lacking.FAILED
    return Lack(code, why, "; ".join(judgement.reasons))
