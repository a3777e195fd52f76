"""Shares of capital: printed answers, and what holds for every covariance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.risk.allocation.weights import AllocationMethod, capped, risk_shares, shares, shrunk_covariance
from moondev.domain.errors import InvalidValue

M = AllocationMethod


def covariance_of(volatilities, correlations):
    volatility = np.array(volatilities)
    return np.outer(volatility, volatility) * np.array(correlations)


# The example of Maillard, Roncalli and Teiletche (2010), section on four assets.
FOUR = covariance_of(
    [0.10, 0.20, 0.30, 0.40], [[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.5], [0, 0, -0.5, 1]]
)  # fmt: skip


def test_equal_risk_gives_the_shares_that_its_authors_print():
    found = shares(M.EQUAL_RISK, FOUR)
    assert found == pytest.approx([0.384, 0.192, 0.243, 0.182], abs=1e-3)
    assert risk_shares(found, FOUR) == pytest.approx([0.25] * 4, abs=1e-9)


def test_of_two_equal_risk_is_inverse_volatility_however_alike_they_are():
    for correlation in (-0.9, 0.0, 0.5, 0.99):
        two = covariance_of([0.1, 0.3], [[1, correlation], [correlation, 1]])
        assert shares(M.EQUAL_RISK, two) == pytest.approx([0.75, 0.25])
        assert shares(M.INVERSE_VOLATILITY, two) == pytest.approx([0.75, 0.25])
        assert shares(M.EQUAL, two) == pytest.approx([0.5, 0.5])


def test_two_copies_share_what_one_would_have():
    alike = covariance_of([0.2] * 3, [[1, 0.999, 0], [0.999, 1, 0], [0, 0, 1]])
    copy, other, lone = shares(M.EQUAL_RISK, alike)
    assert copy == pytest.approx(other)
    assert copy < shares(M.INVERSE_VOLATILITY, alike)[0]
    assert lone > copy


RETURNS = st.integers(0, 10**6).map(
    lambda seed: (
        np.random.default_rng(seed).normal(0, 0.01, (60, 1 + seed % 6))
        * (10.0 ** np.random.default_rng(seed + 1).integers(-4, 3, 1 + seed % 6))
    )
)


@settings(max_examples=50, deadline=None)
@given(returns=RETURNS, method=st.sampled_from(AllocationMethod))
def test_shares_are_above_zero_add_up_and_do_not_depend_on_the_unit(returns, method):
    covariance = shrunk_covariance(returns)
    found = shares(method, covariance)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()
    assert shares(method, covariance * 1e-6) == pytest.approx(found, rel=1e-6)
    if method is M.EQUAL_RISK:
        assert risk_shares(found, covariance) == pytest.approx(np.full(len(found), 1 / len(found)), abs=1e-6)


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=12), st.floats(0.01, 1))
def test_a_cap_binds_all_takes_from_nobody_below_it_and_loses_nothing(raw, most):
    wanted = np.array(raw) / sum(raw)
    found = capped(wanted, most)
    assert (found <= max(most, 1 / len(raw)) + 1e-9).all()
    assert found.sum() == pytest.approx(1)
    below = wanted <= most
    assert (found[below] >= wanted[below] - 1e-9).all() or most < 1 / len(raw)


def test_the_covariance_is_pulled_towards_no_likeness_and_tiny_returns_are_not_lost():
    noise = np.random.default_rng(3).normal(0, 0.01, (30, 2))
    alike = np.column_stack([noise[:, 0], noise[:, 0] + 0.1 * noise[:, 1]])
    plain, shrunk = np.corrcoef(alike.T)[0, 1], shrunk_covariance(alike)
    assert 0 < shrunk[0, 1] / np.sqrt(shrunk[0, 0] * shrunk[1, 1]) < plain
    assert shrunk_covariance(alike * 1e-9) == pytest.approx(shrunk * 1e-18)
    assert (shrunk_covariance(np.zeros((30, 2))) == 0).all()


@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.array([[np.nan]]), np.array([[-1.0]]), np.empty((0, 0))])
def test_refuses_a_covariance_that_is_none(bad):
    for method in AllocationMethod:
        with pytest.raises(InvalidValue, match="covariance"):
            shares(method, bad)
    with pytest.raises(InvalidValue, match="returns"):
        shrunk_covariance(np.array([[np.nan, 1.0], [1.0, 2.0]]))
