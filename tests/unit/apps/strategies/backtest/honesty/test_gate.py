"""What a gate lets through: every required check, passed, by the limits of today, on past enough."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.strategies.backtest.honesty.check import Check, CheckCode, Limit, judged
from apps.strategies.backtest.honesty.gate import REQUIREMENTS, Lacking, Requirement, gate
from apps.strategies.backtest.honesty.limits import LIMITS
from moondev.domain.errors import InvalidValue

FEES = CheckCode.FEES
NET = Limit(FEES, "net", at_least=0.0, at_most=1.0)


def passing(code, days=30.0):
    """Return a check whose every figure lies on its limit."""
    figures = {
        limit.figure: limit.at_least if limit.at_least is not None else limit.at_most
        for limit in LIMITS
        if limit.check is code
    }
    return Check(code, True, figures, "fine", days=days)


PASSED = tuple(passing(code) for code in CheckCode)


def test_a_gate_is_open_when_everything_passed_and_limits_include_their_ends():
    assert gate(PASSED) == ()


@pytest.mark.parametrize("code", list(CheckCode))
def test_every_check_is_required_and_can_close_the_gate_alone(code):
    others = [check for check in PASSED if check.code is not code]
    (lack,) = gate(others)
    assert (lack.check, lack.why) == (code, Lacking.MISSING)
    (lack,) = gate([*others, passing(code, days=29.9)])
    assert (lack.check, lack.why) == (code, Lacking.TOO_SHORT)
    (lack,) = gate([*others, replace(passing(code), passed=None, words="no trades")])
    assert str(lack) == f"{code}: not judged; no trades"


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_that_is_broken_closes_the_gate_whatever_the_check_said_itself(limit):
    end = limit.at_least if limit.at_least is not None else limit.at_most
    beyond = end - 1e-6 if limit.at_least is not None else end + 1e-6
    broken = [
        replace(check, figures={**check.figures, limit.figure: beyond}) if check.code is limit.check else check
        for check in PASSED
    ]
    (lack,) = gate(broken)
    assert (lack.check, lack.why) == (limit.check, Lacking.FAILED)
    assert limit.figure in lack.words


def test_limits_that_were_changed_judge_what_was_stored_before():
    stored = Check(FEES, True, {"net": 0.5}, "", days=30)
    assert gate([stored], [Requirement(FEES, (NET,))]) == ()
    (lack,) = gate([stored], [Requirement(FEES, (Limit(FEES, "net", at_least=0.6),))])
    assert lack.words == "net is 0.5, at least 0.6 is wanted"
    (lack,) = gate([stored], [Requirement(FEES, (Limit(FEES, "other", at_least=0.6),))])
    assert (lack.why, lack.words) == (Lacking.NOT_JUDGED, "other could not be computed")
    (lack,) = gate([stored], [Requirement(FEES, ())])
    assert lack.why is Lacking.NOT_JUDGED


def test_the_newest_answer_counts():
    good, bad = Check(FEES, True, {"net": 0.5}, ""), Check(FEES, False, {"net": -0.5}, "")
    wanted = [Requirement(FEES, (NET,))]
    assert gate([bad, good], wanted) == ()
    assert [lack.why for lack in gate([good, bad], wanted)] == [Lacking.FAILED]


def test_a_gate_without_requirements_is_open():
    assert gate([], []) == ()


figures = some.dictionaries(some.sampled_from(["net", "a"]), some.none() | some.floats(-2, 2))


@given(figures, some.lists(some.sampled_from([NET, Limit(FEES, "a", at_most=0.0)]), unique=True))
def test_a_check_never_passes_silently(values, limits):
    found = judged(FEES, values, limits)
    if found.passed:
        assert limits
        assert all(values[limit.figure] is not None and not limit.refusal(values[limit.figure]) for limit in limits)
    else:
        assert found.reasons


def test_figures_that_are_no_number_fail():
    assert judged(FEES, {"net": float("nan")}, [NET]).passed is False


@pytest.mark.parametrize(
    "make",
    [
        lambda: Limit(FEES, "net"),
        lambda: Limit(FEES, "net", at_least=float("nan")),
        lambda: Limit(FEES, "net", at_least=1, at_most=0),
        lambda: Requirement(FEES, (Limit(CheckCode.DRIFT, "net", at_least=0),)),
        lambda: Requirement(FEES, (), days=-1),
    ],
)
def test_limits_that_limit_nothing_are_refused(make):
    with pytest.raises(InvalidValue):
        make()


def test_the_seed_requires_every_check_with_a_limit():
    assert [requirement.check for requirement in REQUIREMENTS] == list(CheckCode)
    assert all(requirement.limits and requirement.days == 30 for requirement in REQUIREMENTS)
