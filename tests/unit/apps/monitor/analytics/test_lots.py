"""Known answers by hand; and whatever is traded, gains and what is open add up to the money that moved."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.monitor.analytics.exports.columns import Method
from apps.monitor.analytics.exports.lots import Change, LotBook
from tests.support.analytics_world import START

D = Decimal


def change(day, quantity, price, fee="0") -> Change:
    size = D(quantity)
    return Change(START + timedelta(days=day), size, abs(size) * D(price), D(fee), f"t{day}")


def played(method: Method, *changes: Change):
    book = LotBook(method)
    return [closed for one in changes for closed in book.book(one)], book.open_lots()


BUYS = (change(1, 2, 100, "0.2"), change(2, 2, 130, "0.3"), change(3, 2, 110, "0.1"))


@pytest.mark.parametrize(
    ("method", "lots", "rest"),
    [
        # Sold 3 at 120: which of 2 at 100, 2 at 130, 2 at 110 went?
        (Method.FIFO, [("t1", 2, 40), ("t2", 1, -10)], 350),
        (Method.LIFO, [("t3", 2, 20), ("t2", 1, -10)], 330),
        (Method.HIFO, [("t2", 2, -20), ("t3", 1, 10)], 310),
        (Method.AVERAGE, [("t1", 2, D("13.333333333333")), ("t2", 1, D("6.666666666667"))], 340),
    ],
)
def test_a_sale_is_set_against_the_lots_that_the_method_names(method, lots, rest) -> None:
    closed, left = played(method, *BUYS, change(4, -3, 120, "0.6"))
    assert [(c.lot.reference, c.lot.quantity, c.gain) for c in closed] == lots
    assert sum(lot.notional for lot in left) == rest
    assert sum(c.fees for c in closed) + sum(lot.fee for lot in left) == D("1.2")


def test_a_short_has_its_proceeds_first() -> None:
    [closed], left = played(Method.FIFO, change(1, -2, 100, "0.1"), change(5, 2, 90, "0.2"))
    assert (closed.lot.long, closed.proceeds, closed.cost_basis, closed.gain) == (False, 200, 180, 20)
    assert (closed.fees, closed.closed_at - closed.lot.opened_at) == (D("0.3"), timedelta(days=4))
    assert left == []


def test_the_short_that_gains_least_goes_first_by_highest_cost() -> None:
    closed, _ = played(Method.HIFO, change(1, -1, 120), change(2, -1, 100), change(3, 1, 90))
    assert [(c.lot.reference, c.gain) for c in closed] == [("t2", 10)]


def test_a_trade_through_zero_closes_every_lot_and_opens_one_on_the_other_side() -> None:
    closed, left = played(Method.FIFO, *BUYS, change(4, -7, 100, "0.7"))
    assert [c.lot.quantity for c in closed] == [2, 2, 2]
    assert [(lot.long, lot.quantity, lot.notional, lot.fee) for lot in left] == [(False, 1, 100, D("0.1"))]


CHANGES = st.lists(
    st.tuples(
        st.integers(-9, 9).filter(bool).map(lambda n: D(n) / 1000), st.integers(900, 1100).map(lambda n: D(n) / 10),
        st.integers(-50, 90).map(lambda n: D(n) / 10_000_000),
    ),
    max_size=20,
)  # fmt: skip


@given(CHANGES)
def test_gains_and_what_is_open_add_up_to_the_money_that_moved_by_every_method(trades) -> None:
    changes = [change(day, *trade) for day, trade in enumerate(trades)]
    cash = -sum((one.notional.copy_sign(one.quantity) for one in changes), D(0))
    held = sum((one.quantity for one in changes), D(0))
    for method in Method:
        closed, left = played(method, *changes)
        basis = sum((lot.notional if lot.long else -lot.notional for lot in left), D(0))
        assert sum(c.gain for c in closed) - basis == cash, method
        assert sum(c.fees for c in closed) + sum(lot.fee for lot in left) == sum(one.fee for one in changes)
        assert sum(lot.quantity if lot.long else -lot.quantity for lot in left) == held
        assert all(c.lot.quantity > 0 and c.lot.opened_at < c.closed_at for c in closed)
        assert len({lot.long for lot in left}) <= 1
