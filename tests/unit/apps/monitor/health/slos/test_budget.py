from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.monitor.health.slos.budget import Count, bad_allowed, budget_left, burn_rate
from apps.monitor.health.slos.indicators.counters import growth
from moondev.domain.errors import InvalidValue

objectives = st.decimals("0.5", "0.99999", places=5)
counts = st.integers(0, 10**9).flatmap(lambda total: st.integers(0, total).map(lambda good: Count(good, total)))


@given(counts, objectives)
def test_what_is_left_of_a_budget_is_what_its_use_leaves(count, objective):
    rate, left = burn_rate(count, objective), budget_left(count, objective)
    if count.total == 0:
        assert (rate, left, count.share) == (None, None, None)
        return
    assert rate >= 0
    assert left == pytest.approx(1 - rate)
    # Overdrawn exactly when the share is below what was promised, whatever floats make of it.
    assert (left < 0) == (Decimal(count.good) < objective * count.total)
    assert (rate == 0) == (count.bad == 0)


@given(counts, counts, objectives)
def test_a_burn_rate_of_two_pieces_lies_between_theirs_and_the_worse_never_helps(one, other, objective):
    both = burn_rate(one + other, objective)
    rates = [rate for rate in (burn_rate(one, objective), burn_rate(other, objective)) if rate is not None]
    if not rates:
        assert both is None
        return
    assert min(rates) * (1 - 1e-9) <= both <= max(rates) * (1 + 1e-9)
    worse = Count(one.good, one.total + 1)
    assert burn_rate(worse, objective) >= (burn_rate(one, objective) or 0)


@given(st.integers(1, 10**6), objectives)
def test_a_budget_used_at_rate_one_is_used_up(total, objective):
    allowed = bad_allowed(Count(total, total), objective)
    bad = int(allowed)
    assert budget_left(Count(total - bad, total), objective) >= 0
    assert budget_left(Count(total - bad - 1, total), objective) < 0 or allowed >= bad + 1


def test_nonsense_is_named():
    with pytest.raises(InvalidValue, match="good is 3; allowed: 0 to 2"):
        Count(3, 2)
    with pytest.raises(InvalidValue, match="objective is Decimal"):
        burn_rate(Count(1, 1), Decimal(1))


@given(counts, counts)
def test_a_counter_grows_or_was_started_anew(before, more):
    assert growth(before, before + more) == more
    fresh = Count(0, before.total - 1) if before.total else Count()
    if fresh.total < before.total:
        assert growth(before, fresh) == fresh
