"""Proposals: never more than there is, never too much for one, step by step, and nothing on too little knowledge."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.risk.allocation.proposal import Terms, propose, settled
from apps.risk.allocation.weights import AllocationMethod
from moondev.domain.errors import InvalidValue

D = Decimal
M = AllocationMethod
AT_ONCE = Terms(M.INVERSE_VOLATILITY, most_share=1.0, damping=1.0, least_change=0.0, fewest_samples=50)
STEPS = 400


def moves(volatility: float, seed: int, count: int = STEPS) -> np.ndarray:
    column = np.full(STEPS, np.nan)
    column[STEPS - count :] = np.random.default_rng(seed).normal(0, volatility, count)
    return column


CALM, WILD = moves(0.01, 1), moves(0.03, 2)
HAVE = {"calm": D(1_000), "wild": D(1_000)}


def after(lines) -> dict[str, Decimal]:
    return {line.strategy: line.after for line in lines}


def test_the_calm_one_gets_more_and_the_lines_say_why():
    calm, wild = propose(HAVE, {"calm": CALM, "wild": WILD}, D(2_000), AT_ONCE)
    assert float(calm.after / wild.after) == pytest.approx(3, rel=0.1)
    assert calm.after + wild.after <= 2_000
    assert calm.why.startswith("inverse volatility: 7")
    assert (calm.volatility, calm.risk_share) == (pytest.approx(0.01, rel=0.1), pytest.approx(0.5, abs=0.06))


def test_half_of_the_way_is_gone_at_once_and_nobody_gets_more_than_the_most():
    whole = after(propose(HAVE, {"calm": CALM, "wild": WILD}, D(2_000), AT_ONCE))
    half = after(propose(HAVE, {"calm": CALM, "wild": WILD}, D(2_000), replace(AT_ONCE, damping=0.5)))
    assert float(half["calm"]) == pytest.approx((float(whole["calm"]) + 1_000) / 2, abs=0.02)
    three = {"calm": CALM, "wild": WILD, "wilder": moves(0.04, 5)}
    have = {name: D(1_000) for name in three}
    lines = propose(have, three, D(3_000), replace(AT_ONCE, most_share=0.4))
    assert after(lines)["calm"] == D(1_200)
    assert "the most for one" in lines[0].why


def test_of_whom_too_little_is_known_keeps_what_he_has():
    young, idle = moves(0.01, 3, count=49), np.zeros(STEPS)
    have = {**HAVE, "young": D(500), "idle": D(100), "unseen": D(50)}
    returns = {"calm": CALM, "wild": WILD, "young": young, "idle": idle}
    lines = {line.strategy: line for line in propose(have, returns, D(2_650), AT_ONCE)}
    assert [lines[name].after for name in ("young", "idle", "unseen")] == [500, 100, 50]
    assert lines["young"].why == "left as it is: 49 steps are known of it, 50 are needed"
    assert lines["idle"].why == "left as it is: it has not moved at all"
    assert float(lines["calm"].after + lines["wild"].after) == pytest.approx(2_000, abs=0.02)


def test_equal_shares_need_no_history():
    terms = replace(AT_ONCE, method=M.EQUAL)
    assert after(propose({"a": D(900), "b": D(100)}, {}, D(1_000), terms)) == {"a": 500, "b": 500}
    assert after(propose({"a": D(900), "b": D(100)}, {"a": CALM, "b": np.zeros(STEPS)}, D(1_000), terms))["b"] == 500


def test_when_there_is_less_than_they_have_all_are_cut_alike():
    lines = propose({"a": D(600), "b": D(400)}, {}, D(500), replace(AT_ONCE, fewest_samples=50))
    assert after(lines) == {"a": 300, "b": 200}
    assert lines[0].why.endswith("cut with all others to what there is")


def test_a_change_too_small_is_left_out_unless_the_budget_needs_it():
    terms = replace(AT_ONCE, method=M.EQUAL, least_change=0.05)
    lines = propose({"a": D(1_020), "b": D(980)}, {}, D(2_000), terms)
    assert after(settled(lines, D(2_000), terms)) == {"a": 1_020, "b": 980}
    tight = propose({"a": D(1_020), "b": D(980)}, {}, D(1_990), terms)
    assert after(settled(tight, D(1_990), terms)) == {"a": 995, "b": 995}


@settings(max_examples=60, deadline=None)
@given(
    capitals=st.lists(st.integers(0, 10**6), min_size=1, max_size=6),
    counts=st.lists(st.integers(0, STEPS), min_size=6, max_size=6),
    budget=st.integers(1, 2 * 10**6),
    method=st.sampled_from(AllocationMethod),
    most=st.floats(0.05, 1),
    damping=st.floats(0.01, 1),
    least=st.floats(0, 0.5),
)
def test_never_more_than_the_budget_and_never_below_zero(capitals, counts, budget, method, most, damping, least):
    have = {f"s{number}": D(amount) for number, amount in enumerate(capitals)}
    returns = {f"s{number}": moves(0.01 * (number + 1), number, count) for number, count in enumerate(counts)}
    terms = Terms(method, most, damping, least, 50)
    made = propose(have, returns, D(budget), terms)
    for lines in (made, settled(made, D(budget), terms)):
        assert [line.strategy for line in lines] == sorted(have)
        assert sum(line.after for line in lines) <= budget
        assert all(line.after >= 0 and line.why for line in lines)
    shared = [line for line in made if not line.why.startswith("left")]
    assert all(line.after <= D(repr(max(most, 1 / len(shared)))) * budget + D("0.01") for line in shared)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "luck"}, "method is 'luck'"), ({"most_share": 1.5}, "most_share is 1.5"),
        ({"damping": 0}, "damping is 0"), ({"least_change": -1}, "least_change is -1"),
        ({"fewest_samples": 3}, "fewest_samples is 3"), ({"most_share": float("nan")}, "most_share is nan"),
    ],
)  # fmt: skip
def test_refuses_terms_that_mean_nothing(changes, words):
    with pytest.raises(InvalidValue, match=words):
        replace(AT_ONCE, **changes)


@pytest.mark.parametrize("budget", [D(0), D(-1), D("NaN"), D("Infinity")])
def test_refuses_a_budget_that_is_none(budget):
    with pytest.raises(InvalidValue, match="budget"):
        propose(HAVE, {}, budget, AT_ONCE)
