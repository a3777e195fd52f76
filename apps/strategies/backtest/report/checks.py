"""The honesty checks as the report shows them, and as they are stored beside a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from apps.strategies.backtest.honesty.check import Check, CheckCode
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


def checks_to_json(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Return plain values that `checks_of_json` reads."""
    return [asdict(check) for check in checks]


def checks_of_json(stored: Sequence[Mapping[str, Any]]) -> list[Check]:
    """Return what `checks_to_json` wrote."""
    return [
        Check(**{**one, "code": CheckCode(one["code"]), "findings": tuple(one.get("findings", ()))}) for one in stored
    ]


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
