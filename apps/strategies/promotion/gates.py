"""What a gate says about the evidence: passed, failed, or not to be judged, which does not pass either. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from apps.strategies.models import Requirement


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of this code with these parameters, in the stage it is in.

    `checks_missing` names the honesty checks that did not pass, each with why (None: nothing was checked);
    `tracking_error` is per day, `drawdown` a share of the peak; None of either means not known. `approvers` are the
    people who approved and are none of its authors.
    """

    checks_missing: tuple[str, ...] | None
    days: int
    trades: int
    tracking_error: float | None
    drawdown: float | None
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate's answer. `passed` None: the evidence does not tell."""

    requirement: str
    passed: bool | None
    words: str


Judge = Callable[[Evidence, Decimal], Verdict]


def judge(requirement: Requirement, threshold: Decimal | None, evidence: Evidence) -> Verdict:
    """Return what the gate says."""
    return JUDGES[requirement](evidence, Decimal(0) if threshold is None else threshold)


def _checks(evidence: Evidence, _threshold: Decimal) -> Verdict:
    name, missing = Requirement.CHECKS.value, evidence.checks_missing
    if missing is None:
        return Verdict(name, None, "no honesty check has been run on this code with these parameters")
    return Verdict(name, not missing, "; ".join(missing) or "every required honesty check passed")


def _days(evidence: Evidence, threshold: Decimal) -> Verdict:
    return _at_least(Requirement.DAYS, evidence.days, threshold, "days on which it decided")


def _trades(evidence: Evidence, threshold: Decimal) -> Verdict:
    return _at_least(Requirement.TRADES, evidence.trades, threshold, "entries filled")


def _tracking(evidence: Evidence, threshold: Decimal) -> Verdict:
    unknown = "no stored backtest of this version covers enough of its days"
    what = "a day beside its backtest"
    return _at_most(Requirement.TRACKING_ERROR, evidence.tracking_error, threshold, what, unknown)


def _drawdown(evidence: Evidence, threshold: Decimal) -> Verdict:
    unknown = "what it is worth is not known now"
    return _at_most(Requirement.DRAWDOWN, evidence.drawdown, threshold, "below its peak", unknown)


def _approvals(evidence: Evidence, threshold: Decimal) -> Verdict:
    people = ", ".join(evidence.approvers) or "nobody"
    passed = len(evidence.approvers) >= threshold
    return Verdict(Requirement.APPROVALS.value, passed, f"approved by {people}; {threshold.normalize():f} needed")


JUDGES: Mapping[Requirement, Judge] = MappingProxyType(
    {
        Requirement.CHECKS: _checks,
        Requirement.DAYS: _days,
        Requirement.TRADES: _trades,
        Requirement.TRACKING_ERROR: _tracking,
        Requirement.DRAWDOWN: _drawdown,
        Requirement.APPROVALS: _approvals,
    }
)


def _at_least(requirement: Requirement, value: int, threshold: Decimal, what: str) -> Verdict:
    words = f"{value} {what}; at least {threshold.normalize():f} needed"
    return Verdict(requirement.value, value >= threshold, words)


def _at_most(requirement: Requirement, value: float | None, threshold: Decimal, what: str, unknown: str) -> Verdict:
    if value is None:
        return Verdict(requirement.value, None, unknown)
    words = f"{value:.2%} {what}; at most {float(threshold):.2%} allowed"
    return Verdict(requirement.value, value <= float(threshold), words)
