"""Equity over time: money that moved is no return, what is missing is not made up, and restarts change nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.bulk import fetch
from apps.risk.portfolio.series import equity_series, returns_matrix
from apps.risk.portfolio.series_keeper import EquityPoint, Latest, grown, points_keep, points_thin
from moondev.domain.errors import InvalidValue

D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
STEP = timedelta(seconds=10)
A, B = ("strategy", "a"), ("strategy", "b")


def seen(equity: object, funded: object = 100, account: str = "1", scope: tuple[str, str] = A) -> EquityPoint:
    return EquityPoint(scope, D(str(equity)), {account: D(str(funded))})


def at(step: int) -> datetime:
    return NOW + step * STEP


def keep(step: int, *points: EquityPoint) -> int:
    return points_keep(points, at(step))


def test_growth_takes_moved_money_out() -> None:
    first = grown(None, seen(100), NOW)
    assert (first.growth, first.run, first.funded) == (1.0, 0, 100)
    paid_in = grown(first, seen(210, 200), NOW)
    assert paid_in.growth == pytest.approx(1.1)
    assert grown(paid_in, seen(110, 100), NOW).growth == pytest.approx(1.1)


@given(st.lists(st.tuples(st.decimals("0.5", 2, places=3), st.integers(-50, 500)), min_size=1, max_size=20))
def test_whatever_is_paid_in_or_out_growth_is_what_prices_made(steps) -> None:
    last, equity, funded, made = grown(None, seen(1000), NOW), D(1000), D(100), 1.0
    for factor, moved in steps:
        if equity * factor + moved <= 0:
            return
        equity, funded, made = equity * factor + moved, funded + moved, made * float(factor)
        last = grown(last, seen(equity, funded), NOW)
    assert last.growth == pytest.approx(made)
    assert last.run == 0


def test_money_seen_before_it_is_booked_is_put_right_when_it_is() -> None:
    arrived = grown(grown(None, seen(100), NOW), seen(200, 100), NOW)
    assert grown(arrived, seen(200, 200), NOW).growth == 1.0


def test_moved_money_counts_in_the_currency_of_the_scope() -> None:
    before = Latest(NOW, D(200), D(200), 1.0, 0, {"1": D(100), "2": D(100)})
    point = EquityPoint(A, D(250), {"1": D(100), "2": D(200)}, {"2": D("0.5")})
    assert grown(before, point, NOW).growth == 1.0


@pytest.mark.parametrize("change", [seen(100, account="2"), seen(-5), seen(100, 250)], ids=["account", "ruin", "left"])
def test_what_cannot_be_compared_begins_a_run_of_its_own(change) -> None:
    assert grown(grown(None, seen(100), NOW), change, NOW).run == 1


@pytest.mark.django_db
class TestKept:
    """With the tables."""

    def test_points_are_kept_every_few_seconds_whoever_keeps_them(self) -> None:
        assert keep(0, seen(100), seen(50, scope=B)) == 2
        assert points_keep([seen(101)], NOW + timedelta(seconds=4)) == 0
        assert points_keep([seen(101)], NOW + timedelta(seconds=5)) == 1
        # Nothing lives in a process: a clock that jumped back writes nothing twice either.
        assert points_keep([seen(102)], NOW + timedelta(seconds=5)) == 0
        assert fetch("SELECT count(*) FROM risk_equitypoint")[0][0] == 3

    def test_returns_are_aligned_and_a_missing_point_is_not_a_number(self) -> None:
        for step, equity in enumerate([100, 110, None, 121, 242]):
            points = [] if equity is None else [seen(equity, 100 if step < 4 else 221)]
            keep(step, *points, seen(100 + step, 100, scope=B))
        matrix = returns_matrix(["a", "b", "nobody"], at(0), at(5), STEP)
        assert matrix.shape == (5, 3)
        assert matrix.dtype == np.float64
        np.testing.assert_allclose(matrix[:, 0], [np.nan, 0.1, np.nan, np.nan, 0.0], atol=1e-12)
        np.testing.assert_allclose(matrix[1:, 1], [101 / 100 - 1, 102 / 101 - 1, 103 / 102 - 1, 104 / 103 - 1])
        assert np.isnan(matrix[:, 2]).all()
        # The point before the grid begins makes its first return.
        np.testing.assert_allclose(returns_matrix(["a"], at(1), at(2), STEP), [[0.1]])

    def test_of_each_step_the_last_point_counts(self) -> None:
        for second, equity in ((0, 100), (5, 500), (11, 200), (19, 300)):
            points_keep([seen(equity)], NOW + timedelta(seconds=second))
        series = equity_series(A, at(0), at(3), STEP)
        assert series.at == (at(1), at(2), at(3))
        np.testing.assert_array_equal(series.equity, [500, 300, np.nan])
        np.testing.assert_array_equal(series.funded, [100, 100, np.nan])
        np.testing.assert_allclose(series.returns, [np.nan, 300 / 500 - 1, np.nan])

    def test_the_step_in_which_a_strategy_moved_to_another_account_has_no_return(self) -> None:
        keep(0, seen(100))
        keep(1, seen(900, account="2"))
        keep(2, seen(990, account="2"))
        np.testing.assert_allclose(returns_matrix(["a"], at(0), at(3), STEP)[:, 0], [np.nan, np.nan, 0.1])

    def test_old_points_are_thinned_and_returns_stay_what_they_were(self) -> None:
        for step in range(60):
            keep(step, seen(100 + step, 100), seen(100 + step, 100, scope=B))
        minute = timedelta(minutes=1)
        before = returns_matrix(["a", "b"], NOW, NOW + 10 * minute, minute)
        assert points_thin(NOW + 10 * minute, None) == 0
        later = NOW + timedelta(hours=2) + 10 * minute
        assert points_thin(later, later - minute) < 30
        assert points_thin(later, None) > 60
        assert points_thin(later, None) == 0
        assert fetch("SELECT count(*) FROM risk_equitypoint")[0][0] == 20
        np.testing.assert_array_equal(returns_matrix(["a", "b"], NOW, NOW + 10 * minute, minute), before)

    @pytest.mark.parametrize(
        ("start", "end", "step", "field"),
        [
            (at(0), at(0), STEP, "end"),
            (at(1), at(0), STEP, "end"),
            (at(0), at(1), timedelta(0), "step"),
            (at(0), at(10**6), STEP, "step"),
            (at(0).replace(tzinfo=None), at(1), STEP, "start"),
        ],
    )
    def test_a_grid_that_is_none_is_refused(self, start, end, step, field) -> None:
        with pytest.raises(InvalidValue, match=field):
            returns_matrix(["a"], start, end, step)
