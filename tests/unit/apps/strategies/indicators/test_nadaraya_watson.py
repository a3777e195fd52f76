import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.nonparametric.kernel_regression import KernelReg

from apps.strategies.indicators.nadaraya_watson import (
    gaussian_weights,
    mean_absolute_error,
    one_sided,
    rational_quadratic_weights,
)
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column
from tests.unit.apps.strategies.recorded import columns

H, W = 8.0, 200
WEIGHTS = gaussian_weights(W, H)


def walk(seed: int, count: int) -> Column:
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, count)))


def in_hindsight(values: Column, bandwidth: float = H) -> Column:
    """Return the two-sided estimate: one curve through all bars, as plots show it."""
    index = np.arange(len(values))
    kernel = np.exp(-np.square(np.subtract.outer(index, index) / bandwidth) / 2)
    return kernel @ values / kernel.sum(axis=1)


def test_is_the_end_of_the_two_sided_curve_through_its_own_past() -> None:
    values = walk(1, 400)
    live = one_sided(values, WEIGHTS)
    for end in (W, W + 1, 300, 400):
        assert live[end - 1] == pytest.approx(in_hindsight(values[:end])[-1], abs=1e-11)


def test_equals_the_kernel_regression_of_statsmodels() -> None:
    values = walk(2, 500)
    index = np.arange(500.0)
    theirs = KernelReg(values, index, "c", reg_type="lc", bw=[H], rng=0)
    assert np.abs(theirs.fit()[0] - in_hindsight(values)).max() < 1e-10
    prefix = KernelReg(values[:300], index[:300], "c", reg_type="lc", bw=[H], rng=0)
    assert one_sided(values, WEIGHTS)[299] == pytest.approx(prefix.fit([299.0])[0][0], abs=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), end=st.integers(1, 320))
def test_cutting_the_future_off_does_not_change_the_past(seed: int, end: int) -> None:
    values = walk(seed, 320)
    for weights in (gaussian_weights(60, H), rational_quadratic_weights(60, H, 8)):
        whole, part = one_sided(values, weights), one_sided(values[:end], weights)
        np.testing.assert_allclose(part, whole[:end], rtol=1e-13)
        band = mean_absolute_error(values, whole, 30)[:end]
        np.testing.assert_allclose(mean_absolute_error(values[:end], part, 30), band, rtol=1e-9)


def test_the_rational_quadratic_kernel_becomes_the_gaussian() -> None:
    far = rational_quadratic_weights(W, H, 1e7)
    assert np.abs(far - WEIGHTS).max() < 1e-5
    assert np.abs(rational_quadratic_weights(W, H, 1.0) - WEIGHTS).max() > 0.1
    by_hand = (1 + 16**2 / (2 * 8 * 8**2)) ** -8
    assert rational_quadratic_weights(17, 8, 8)[-1] == pytest.approx(by_hand, rel=1e-15)


def test_weights_beyond_five_bandwidths_do_not_matter() -> None:
    assert WEIGHTS[41] < 4e-6
    values = walk(3, 400)
    np.testing.assert_allclose(
        one_sided(values, WEIGHTS)[W:], one_sided(values, gaussian_weights(50, H))[W:], rtol=1e-6
    )


def test_says_nothing_before_its_window_is_full() -> None:
    live = one_sided(walk(4, 210), WEIGHTS)
    assert np.isnan(live[: W - 1]).all()
    assert np.isfinite(live[W - 1 :]).all()
    assert np.isnan(one_sided(walk(4, 10), WEIGHTS)).all()
    error = mean_absolute_error(walk(4, 210), live, 5)
    assert np.isnan(error[: W + 3]).all()
    assert np.isfinite(error[W + 3 :]).all()
    assert np.isnan(mean_absolute_error(np.ones(3), np.ones(3), 5)).all()


def test_the_error_is_the_mean_distance_from_the_estimate() -> None:
    error = mean_absolute_error(np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 3.0]), 2)
    assert error[1:].tolist() == [0.5, 1.5]


@pytest.mark.parametrize("values", [(0, 8.0), (10, 0.0), (10, float("nan"))])
def test_refuses_lengths_and_bandwidths_that_are_none(values: tuple[int, float]) -> None:
    with pytest.raises(InvalidValue, match="allowed"):
        gaussian_weights(*values)
    with pytest.raises(InvalidValue, match="relative_weight"):
        rational_quadratic_weights(10, 8.0, 0.0)
    with pytest.raises(InvalidValue, match="length"):
        mean_absolute_error(np.ones(3), np.ones(3), 0)


def test_what_hindsight_redraws_is_all_of_what_it_seems_to_earn() -> None:
    """ETH hours, the first 301 that have an estimate: the finished curve lies 62 bp off what was to be seen."""
    (close,) = columns("okx-swap_ETH-USDT-SWAP_1h_202301-202506", "close")
    history = close[: W + 300]
    live, plotted = one_sided(history, WEIGHTS)[W - 1 :], in_hindsight(history)[W - 1 :]
    seen = history[W - 1 :]
    repainted_bps = 1e4 * np.abs(plotted - live) / seen
    assert repainted_bps.mean() == pytest.approx(62.0, abs=0.1)
    assert repainted_bps.max() == pytest.approx(399.6, abs=0.1)
    assert _following(plotted, seen)[0] == pytest.approx(0.2999, abs=1e-4)
    assert _following(live, seen)[0] == pytest.approx(-0.0098, abs=1e-4)
    assert np.log(seen[-1] / seen[0]) == pytest.approx(0.2374, abs=1e-4)


def test_always_in_the_market_it_breaks_even_at_three_basis_points() -> None:
    """ETH hours, 2023 to mid-2025, before fees."""
    (close,) = columns("okx-swap_ETH-USDT-SWAP_1h_202301-202506", "close")
    gross, turnover = _following(one_sided(close, WEIGHTS)[W - 1 :], close[W - 1 :])
    assert gross == pytest.approx(1.6264, abs=1e-4)
    assert turnover == 5_092
    assert 1e4 * gross / turnover == pytest.approx(3.19, abs=0.01)


def _following(curve: Column, close: Column) -> tuple[float, float]:
    """Return the log return of being long while the curve rises, else short, from the next bar on, and the turnover."""
    held = np.sign(np.diff(curve))
    return float(held[:-1] @ np.diff(np.log(close))[1:]), float(np.abs(np.diff(held)).sum())
