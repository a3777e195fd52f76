"""Which limits contradict each other, on a small map of scopes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.limit_rules.contradictions import PAIRS, find_contradiction
from apps.risk.limits import LimitBook
from apps.risk.models import LimitKind
from apps.risk.services import SEED_LIMITS

D = Decimal
EVERYTHING, PAPER, ACCOUNT, TURTLE = ("everything", "*"), ("portfolio", "paper"), ("account", "a"), ("strategy", "t")
NESTED = (EVERYTHING, PAPER, ACCOUNT, TURTLE)


def around(scope):
    return frozenset(NESTED[: NESTED.index(scope) + 1])


def book(*rows):
    return LimitBook({(kind.value, *scope): D(value) for kind, scope, value in rows})


def found(kind, scope, value, *rows):
    return find_contradiction(kind, scope, D(value), book(*rows), around)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.lower}-{pair.upper}")
def test_what_is_a_part_may_not_be_larger_than_the_whole_whichever_is_set_last(pair) -> None:
    lower, upper = (
        found(pair.lower, PAPER, 3, (pair.upper, PAPER, 2)),
        found(pair.upper, PAPER, 2, (pair.lower, PAPER, 3)),
    )
    assert str(lower) == f"at most 2, the {pair.upper.value} of portfolio:paper: {pair.why}"
    assert str(upper) == f"at least 3, the {pair.lower.value} of portfolio:paper: {pair.why}"
    assert found(pair.lower, PAPER, 2, (pair.upper, PAPER, 2)) is None
    assert found(pair.lower, PAPER, 3, (pair.upper, EVERYTHING, 2)) is not None


def test_a_narrow_scope_may_hold_less_than_one_order_elsewhere() -> None:
    order = (LimitKind.MAX_ORDER_NOTIONAL, PAPER, 25_000)
    assert found(LimitKind.MAX_GROSS_EXPOSURE, TURTLE, 10_000, order) is None
    assert (
        found(LimitKind.MAX_GROSS_EXPOSURE, TURTLE, 10_000, (LimitKind.MAX_ORDER_NOTIONAL, TURTLE, 10_001)) is not None
    )


def test_no_scope_may_be_left_with_exits_narrower_than_entries() -> None:
    entries = (LimitKind.PRICE_BAND_BPS, PAPER, 500)
    assert found(LimitKind.REDUCING_PRICE_BAND_BPS, TURTLE, 400, entries) is not None
    assert (
        found(LimitKind.REDUCING_PRICE_BAND_BPS, TURTLE, 400, entries, (LimitKind.PRICE_BAND_BPS, TURTLE, 300)) is None
    )
    exits = (LimitKind.REDUCING_PRICE_BAND_BPS, TURTLE, 400)
    assert found(LimitKind.PRICE_BAND_BPS, PAPER, 500, exits) is not None
    assert found(LimitKind.PRICE_BAND_BPS, PAPER, 500, exits, (LimitKind.PRICE_BAND_BPS, ACCOUNT, 300)) is None


def test_one_strategy_may_have_more_rope_than_the_portfolio_but_not_all_of_them() -> None:
    portfolio = (LimitKind.PORTFOLIO_DRAWDOWN, PAPER, "0.25")
    assert found(LimitKind.STRATEGY_DRAWDOWN, TURTLE, "0.30", portfolio) is None
    assert found(LimitKind.STRATEGY_DRAWDOWN, PAPER, "0.30", portfolio) is not None
    assert found(LimitKind.STRATEGY_DRAWDOWN, EVERYTHING, "0.30", portfolio) is not None


def test_the_limits_to_begin_with_contradict_none_of_each_other() -> None:
    seeds = [(kind, PAPER, value) for kind, value in SEED_LIMITS.items()]
    for kind, scope, value in seeds:
        others = [row for row in seeds if row[0] is not kind]
        assert found(kind, scope, value, *others) is None


ROWS = st.lists(
    st.tuples(
        st.sampled_from([LimitKind.PRICE_BAND_BPS, LimitKind.REDUCING_PRICE_BAND_BPS]), st.sampled_from(NESTED),
        st.integers(1, 5),
    ),
    max_size=10,
)  # fmt: skip


@given(ROWS)
def test_whatever_is_let_in_one_after_the_other_exits_are_nowhere_narrower_than_entries(rows) -> None:
    held: dict = {}
    for kind, scope, value in rows:
        others = [(*key, bound) for key, bound in held.items() if key != (kind, scope)]
        if found(kind, scope, value, *others) is None:
            held[(kind, scope)] = value
    limits = book(*((*key, bound) for key, bound in held.items()))
    for scope in NESTED:
        entry = limits.tightest(LimitKind.PRICE_BAND_BPS, around(scope))
        leave = limits.tightest(LimitKind.REDUCING_PRICE_BAND_BPS, around(scope))
        assert entry is None or leave is None or entry <= leave
