"""The honesty checks as the report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apps.strategies.backtest.honesty.check import Check
from apps.strategies.backtest.numbers import UNDEFINED, signed

_TONES = {True: "good", False: "bad", None: "wait"}


@dataclass(frozen=True, slots=True)
class CheckShown:
    """One check as text; `tone` is the word of its colour, `verdict` says the same to those who see none."""

    name: str
    tone: str
    verdict: str
    words: str
    figures: Mapping[str, str]
    findings: tuple[str, ...]


def checks_shown(checks: Iterable[Check]) -> list[CheckShown]:
    """Return checks as text, in the order they came."""
    return [_shown(check) for check in checks]


def _shown(check: Check) -> CheckShown:
    return CheckShown(
        name=check.code.value.replace("-", " ").capitalize(),
        tone=_TONES[check.passed],
        verdict=check.verdict,
        words=check.words,
        figures={name.replace("_", " "): _number(value) for name, value in check.figures.items()},
        findings=check.findings,
    )


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else signed(f"{value:,.4g}")
