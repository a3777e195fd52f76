"""Isolated margin: a position answers with what it was given, and the account with nothing more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import CancelReason, Done, OrderStatus, RejectCode
from apps.exchanges.mock.engine.events import Liquidated

D = Decimal


@pytest.fixture
def trader(desk):
    """Give dan 10,000 and 100 BTC long at 100, isolated with leverage 10: margin 1,000."""
    desk.exchange.open_account("dan", D(10_000))
    assert desk.exchange.update_leverage("dan", "BTC", 10, is_cross=False) == Done()
    desk.give_position("dan", 100, 100)
    return desk


def held(desk):
    [position] = desk.exchange.account_state("dan").positions
    return position


def test_puts_up_margin_at_the_chosen_leverage_and_shows_it_apart(trader):
    state, position = trader.exchange.account_state("dan"), held(trader)
    assert trader.exchange.is_isolated("dan", "BTC")
    assert (position.is_cross, position.isolated_margin, position.margin_used) == (False, D(1_000), D(1_000))
    assert state.account_value == D(10_000) - state.fees
    assert state.cross_value == D(9_000) - state.fees == state.withdrawable
    assert (state.margin_used, state.cross_margin, state.maintenance_margin) == (D(1_000), D(0), D(0))


def test_profit_stays_with_the_position_until_it_is_closed(trader):
    trader.exchange.set_mark("BTC", D(105))
    assert (held(trader).margin_used, held(trader).isolated_margin) == (D(1_500), D(1_000))
    free = trader.exchange.account_state("dan").withdrawable
    trader.give_position("dan", -40, 105)
    assert held(trader).isolated_margin == D(600)
    fee = trader.exchange.fills("dan")[-1].fee
    assert trader.exchange.account_state("dan").withdrawable == free + 400 + 200 - fee


def test_liquidates_that_position_alone_at_the_price_it_shows(trader):
    trader.give_position("dan", 500, 10, "ETH")
    other = trader.place("dan", "buy", 10, 9, coin="ETH")
    mine = trader.place("dan", "buy", 1, 85)
    # 1,000 + 100 (p - 100) = 100 p / 100
    assert held_btc(trader).liquidation_px == D("90.9")
    trader.place("cat", "buy", 100, "90.5")
    trader.exchange.set_mark("BTC", D("91"))
    assert trader.position("dan") == 100
    before = trader.exchange.account_state("dan").cross_value
    trader.exchange.set_mark("BTC", D("90.8"))
    assert (trader.position("dan"), trader.position("dan", "ETH")) == (0, 500)
    assert trader.exchange.order_by_oid("dan", mine.oid).reason is CancelReason.LIQUIDATED
    assert trader.exchange.order_by_oid("dan", other.oid).status is OrderStatus.OPEN
    fee = trader.exchange.fills("dan")[-1].fee
    after = trader.exchange.account_state("dan")
    assert after.cross_value == before + D(1_000) - D("9.5") * 100 - fee
    [event] = trader.of(Liquidated)
    assert (event.is_cross, event.sizes, event.value) == (False, (("BTC", D(100)),), D(80))


def held_btc(desk):
    return next(p for p in desk.exchange.account_state("dan").positions if p.coin == "BTC")


@pytest.mark.parametrize("price", ["90.3", "90", "60"])
def test_a_gap_costs_the_account_no_more_than_the_margin(trader, price):
    before = trader.exchange.account_state("dan").cross_value
    trader.exchange.set_mark("BTC", D(price))
    state = trader.exchange.account_state("dan")
    assert state.positions == ()
    assert state.cross_value == state.account_value == before
    assert (state.forfeited < 0) is (price != "90.3")


def test_a_bad_fill_of_a_liquidation_is_paid_by_the_fund(trader):
    before = trader.exchange.account_state("dan").cross_value
    trader.place("cat", "buy", 100, "70")
    trader.exchange.set_mark("BTC", D("90.8"))
    state = trader.exchange.account_state("dan")
    assert (state.positions, state.cross_value) == ((), before)
    assert state.forfeited == D(1_000) - D(3_000) - trader.exchange.fills("dan")[-1].fee


def test_moves_margin_in_and_out_within_what_is_free(trader):
    move = trader.exchange.move_isolated_margin
    assert move("dan", "BTC", D(500)) == Done()
    assert held(trader).isolated_margin == D(1_500)
    assert held(trader).liquidation_px < D("90.9")
    assert move("dan", "BTC", D(-500)) == Done()
    assert move("dan", "BTC", D("-0.01")).code is RejectCode.INSUFFICIENT_MARGIN
    assert move("dan", "BTC", D(9_000)).code is RejectCode.INSUFFICIENT_MARGIN
    assert held(trader).isolated_margin == D(1_000)
    assert move("dan", "ETH", D(1)).code is RejectCode.NO_ISOLATED_POSITION
    assert move("bob", "BTC", D(1)).code is RejectCode.NO_ISOLATED_POSITION


def test_adding_a_little_to_a_weak_position_is_allowed(trader):
    trader.exchange.set_mark("BTC", D(92))
    assert trader.exchange.move_isolated_margin("dan", "BTC", D(5)) == Done()
    assert held(trader).isolated_margin == D(1_005)


def test_refuses_to_change_the_mode_of_an_open_position(trader):
    answer = trader.exchange.update_leverage("dan", "BTC", 10, is_cross=True)
    assert answer.code is RejectCode.MARGIN_MODE_LOCKED
    assert trader.exchange.is_isolated("dan", "BTC")
    trader.give_position("dan", -100, 100)
    assert trader.exchange.update_leverage("dan", "BTC", 10, is_cross=True) == Done()
    assert not trader.exchange.is_isolated("dan", "BTC")


def test_lower_leverage_takes_the_missing_margin_from_the_account(trader):
    assert trader.exchange.update_leverage("dan", "BTC", 5, is_cross=False) == Done()
    assert held(trader).isolated_margin == D(2_000)
    assert trader.exchange.update_leverage("dan", "BTC", 1, is_cross=False).code is RejectCode.INSUFFICIENT_MARGIN
    assert (held(trader).isolated_margin, held(trader).leverage) == (D(2_000), 5)
    assert trader.exchange.update_leverage("dan", "BTC", 20, is_cross=False) == Done()
    assert held(trader).isolated_margin == D(2_000)


def test_a_turned_position_has_margin_for_what_it_is_now(trader):
    trader.give_position("dan", -150, 100)
    assert (held(trader).size, held(trader).isolated_margin) == (D(-50), D(500))


def test_resting_orders_take_their_margin_from_what_is_shared(trader):
    free = trader.exchange.account_state("dan").withdrawable
    trader.place("dan", "buy", 50, 99)
    state = trader.exchange.account_state("dan")
    assert state.order_margin == D(500) == free - state.withdrawable
    assert trader.place("dan", "buy", 900, 99).code is RejectCode.INSUFFICIENT_MARGIN


def test_funding_of_an_isolated_position_is_paid_from_its_margin(trader):
    free = trader.exchange.account_state("dan").cross_value
    trader.later(minutes=61)
    [payment] = trader.exchange.funding_payments("dan")
    assert payment.paid != 0
    assert held(trader).isolated_margin == D(1_000) - payment.paid
    assert trader.exchange.account_state("dan").cross_value == free
