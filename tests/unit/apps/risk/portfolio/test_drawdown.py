from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.portfolio.drawdown import Mark, advance, drawdown_share, scaled_peak

D = Decimal
NOW = datetime(2025, 7, 1, tzinfo=UTC)


def mark(peak: str, equity: str, funded: str = "100") -> Mark:
    return Mark(D(peak), D(equity), D(funded), NOW)


@pytest.mark.parametrize(
    ("peak", "equity", "share"),
    [("100", "85", "0.15"), ("100", "100", "0"), ("100", "120", "0"), ("100", "-10", "1.1"), ("0", "5", None)],
)
def test_drawdown_is_the_share_of_the_peak_that_was_lost(peak, equity, share) -> None:
    assert drawdown_share(D(peak), D(equity)) == (None if share is None else D(share))


def test_the_first_equity_is_the_first_peak() -> None:
    assert advance(None, D(90), D(100), None, NOW) == mark("90", "90")


def test_profit_raises_the_peak_and_loss_leaves_it() -> None:
    assert advance(mark("100", "100"), D(110), D(100), None, NOW).peak == 110
    assert advance(mark("110", "110"), D(95), D(100), None, NOW).peak == 110


@given(
    equity=st.integers(min_value=10, max_value=10**6),
    lost=st.integers(min_value=0, max_value=90),
    moved=st.integers(min_value=-(10**6), max_value=10**6),
)
def test_moving_money_never_looks_like_profit_or_loss(equity, lost, moved) -> None:
    if equity + moved <= 0:
        return
    peak = D(equity) * 100 / (100 - lost)
    before = drawdown_share(peak, D(equity))
    after = advance(Mark(peak, D(equity), D(0), NOW), D(equity + moved), D(moved), None, NOW)
    assert before is not None
    assert after.drawdown is not None
    assert abs(after.drawdown - before) < D("1e-9")


def test_a_deposit_that_is_not_booked_yet_becomes_no_peak() -> None:
    arrived = advance(mark("100", "100"), D(200), D(100), D(100), NOW)
    assert arrived.peak == 100
    booked = advance(arrived, D(200), D(200), D(200), NOW)
    assert booked.peak == 200
    assert booked.drawdown == 0


def test_with_nothing_left_before_a_deposit_the_peak_starts_anew() -> None:
    assert scaled_peak(D(100), D(50), D(50)) == 50


def test_a_stale_mark_knows_nothing() -> None:
    stale = Mark(D(100), D(80), D(100), NOW, fresh=False)
    assert stale.fresh_drawdown is None
    assert stale.fresh_equity is None
    assert stale.drawdown == D("0.2")
