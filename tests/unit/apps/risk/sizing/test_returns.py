"""What trades returned, told fill by fill: live from fills, in a backtest from the same holdings."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.risk.sizing.trades import OwnFill, returns_of
from moondev.domain.values import Side

D = Decimal


def fill(side, quantity, price, fee="0"):
    return OwnFill(Side(side), D(quantity), D(price), D(fee))


def test_a_trade_returns_what_it_made_over_the_most_it_cost():
    bought_twice = [fill("buy", "1", "100"), fill("buy", "1", "110"), fill("sell", "2", "126", "2.1")]
    # 252 - 210 - 2.1 over 210.
    assert returns_of(bought_twice, D(0)) == [39.9 / 210]


def test_a_short_and_a_turn_are_trades_too():
    fills = [fill("sell", "1", "100"), fill("buy", "3", "90"), fill("sell", "2", "99")]
    assert returns_of(fills, D(0)) == [0.1, 0.1]


def test_what_is_still_open_is_no_trade_yet():
    assert returns_of([fill("buy", "1", "100"), fill("sell", "0.5", "200")], D("0.5")) == []


def test_a_trade_that_began_before_the_first_fill_is_left_out():
    # One was held when the first fill came, for the three of them sell one more than they buy.
    fills = [fill("sell", "1", "500"), fill("buy", "2", "100"), fill("sell", "2", "101"), fill("sell", "3", "9")]
    assert returns_of(fills, D(-3)) == [0.01]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5), st.integers(50, 150)), max_size=30))
def test_no_trade_loses_more_than_a_price_can_fall_or_rise(steps):
    fills = [fill("buy" if up else "sell", str(size), str(price)) for up, size, price in steps]
    held = sum((one.quantity * one.side.sign for one in fills), D(0))
    assert all(-2.5 <= one <= 2.5 for one in returns_of(fills, held))
