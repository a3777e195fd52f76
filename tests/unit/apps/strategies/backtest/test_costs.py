"""Each cost by hand, and the refusal of costs that would pay for trading."""

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE, Costs, FixedSlippage, FundingRates, SquareRootImpact
from moondev.domain.errors import InvalidValue

HOUR = 3_600_000
NOTHING = np.array([np.nan])


def column(*numbers):
    return np.array(numbers, dtype=np.float64)


def test_a_market_order_pays_half_the_spread_and_the_slippage():
    costs = Costs(maker_bps=2, taker_bps=5, spread_bps=4, slippage=FixedSlippage(3))
    paid = costs.taken_price(column(100, 100, 100), column(1, -1, 0), column(10, 10, 10))
    assert paid == pytest.approx([100.05, 99.95, 100])


def test_costs_of_zero_leave_the_price_as_it_is():
    assert FREE.taken_price(column(0.1), column(3), NOTHING)[0] == 0.1


def test_impact_grows_with_the_root_of_the_share_of_the_volume():
    model = SquareRootImpact(coefficient_bps=100, worst_bps=80)
    assert model.bps(column(1, 4, 100, 0, 1), column(100, 100, 100, 0, 0)) == pytest.approx([10, 20, 80, 0, 80])


def test_funding_on_the_seam_of_two_bars_belongs_to_the_bar_that_ends_even_when_it_is_booked_late():
    opened = np.array([0, HOUR, 2 * HOUR])
    rates = FundingRates(np.array([0, HOUR, 2 * HOUR + 412, 3 * HOUR, 4 * HOUR]), column(1, 2, 4, 8, 16))
    assert list(rates.per_bar(opened, HOUR)) == [2, 4, 8]


def test_funding_within_a_gap_of_the_bars_is_paid_by_the_bar_before_it():
    rates = FundingRates(np.array([2 * HOUR, 3 * HOUR, 4 * HOUR]), column(1, 2, 4))
    assert list(rates.per_bar(np.array([0, 4 * HOUR]), HOUR)) == [7, 0]


def test_only_shorts_borrow():
    costs = Costs(0, 0, borrow_per_year=0.365)
    assert costs.borrowed(column(2, -2), column(100, 100), 24 * HOUR) == pytest.approx([0, 0.2])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maker_bps", -6), ("taker_bps", -1), ("taker_bps", float("nan")), ("spread_bps", -1),
        ("borrow_per_year", float("inf")),
    ],
)  # fmt: skip
def test_costs_that_pay_for_trading_or_are_no_numbers_are_refused_by_name(name, value):
    with pytest.raises(InvalidValue, match=name):
        Costs(**{"maker_bps": 0, "taker_bps": 0, name: value})


def test_rates_that_are_no_numbers_or_out_of_order_are_refused():
    with pytest.raises(InvalidValue, match="nan in row 1"):
        FundingRates(np.array([1, 2]), column(0, np.nan))
    with pytest.raises(InvalidValue, match="out of order"):
        FundingRates(np.array([2, 1]), column(0, 0))
    with pytest.raises(InvalidValue, match="as many rates"):
        FundingRates(np.array([2]), column(0, 0))
