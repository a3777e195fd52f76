"""A gate passes on evidence alone: what is not known does not pass."""

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.strategies.models import Requirement
from apps.strategies.promotion.gates import JUDGES, Evidence, judge

GOOD = Evidence((), days=14, trades=30, tracking_error=0.01, drawdown=0.1, approvers=("bea",))
D = Decimal


@pytest.mark.parametrize(
    ("requirement", "threshold", "bad", "words"),
    [
        (Requirement.CHECKS, None, {"checks_missing": ("look-ahead: not run",)}, "look-ahead: not run"),
        (Requirement.DAYS, D(14), {"days": 13}, "13 days on which it decided; at least 14 needed"),
        (Requirement.TRADES, D(30), {"trades": 29}, "29 entries filled; at least 30 needed"),
        (Requirement.TRACKING_ERROR, D("0.01"), {"tracking_error": 0.0101}, "1.01% a day beside its backtest"),
        (Requirement.DRAWDOWN, D("0.1"), {"drawdown": 0.11}, "11.00% below its peak; at most 10.00% allowed"),
        (Requirement.APPROVALS, D(1), {"approvers": ()}, "approved by nobody; 1 needed"),
    ],
)
def test_each_gate_passes_at_its_threshold_and_not_beyond(requirement, threshold, bad, words):
    assert judge(requirement, threshold, GOOD).passed is True
    verdict = judge(requirement, threshold, replace(GOOD, **bad))
    assert verdict.passed is False
    assert words in verdict.words


@pytest.mark.parametrize(
    ("requirement", "unknown"),
    [
        (Requirement.CHECKS, {"checks_missing": None}),
        (Requirement.TRACKING_ERROR, {"tracking_error": None}),
        (Requirement.DRAWDOWN, {"drawdown": None}),
    ],
)
def test_what_is_not_known_neither_passes_nor_fails(requirement, unknown):
    verdict = judge(requirement, D("0.5"), replace(GOOD, **unknown))
    assert verdict.passed is None
    assert verdict.words


def test_every_requirement_has_a_judge():
    assert set(JUDGES) == set(Requirement)
