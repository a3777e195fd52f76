from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import CancelReason, OrderStatus, RejectCode, Resting

D = Decimal


def test_refuses_to_reduce_without_a_position(desk):
    assert desk.place("ann", "sell", 1, 101, reduce_only=True).code is RejectCode.REDUCE_ONLY
    assert desk.exchange.open_orders("ann") == []


def test_refuses_to_reduce_in_the_direction_of_the_position(desk):
    desk.give_position("ann", 1)
    assert desk.place("ann", "buy", 1, 99, reduce_only=True).code is RejectCode.REDUCE_ONLY


def test_cuts_an_oversized_reduction_to_the_position(desk):
    desk.give_position("ann", 1)
    answer = desk.place("ann", "sell", 5, 101, reduce_only=True)
    assert isinstance(answer, Resting)
    assert desk.exchange.order_by_oid("ann", answer.oid).size == D(1)


def test_never_flips_a_position_when_taking(desk):
    desk.give_position("ann", 1)
    desk.place("bob", "buy", 5, 100)
    desk.ioc("ann", "sell", 5, 100, reduce_only=True)
    assert desk.position("ann") == 0


def test_closes_less_than_the_minimum_notional(desk):
    desk.give_position("ann", "0.15")
    desk.place("bob", "buy", 5, 100)
    answer = desk.ioc("ann", "sell", "0.01", 100, reduce_only=True)
    assert answer.total_sz == D("0.01")


def test_shrinks_resting_reductions_with_the_position(desk):
    desk.give_position("ann", 2)
    resting = desk.place("ann", "sell", 2, 105, reduce_only=True)
    desk.give_position("ann", "-0.5")
    order = desk.exchange.order_by_oid("ann", resting.oid)
    assert (order.status, order.remaining) == (OrderStatus.OPEN, D("1.5"))
    [level] = desk.exchange.book("BTC").asks
    assert level.size == D("1.5")


def test_cancels_resting_reductions_when_the_position_is_gone(desk):
    desk.give_position("ann", 2)
    resting = desk.place("ann", "sell", 2, 105, reduce_only=True)
    desk.give_position("ann", -2)
    order = desk.exchange.order_by_oid("ann", resting.oid)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, CancelReason.REDUCE_ONLY)
    assert desk.exchange.book("BTC").asks == ()


def test_several_reductions_together_never_overshoot(desk):
    desk.give_position("ann", 2)
    for price in (104, 105):
        desk.place("ann", "sell", 2, price, reduce_only=True)
    desk.ioc("bob", "buy", 4, 105)
    assert desk.position("ann") == 0
    assert desk.position("bob") == D(2)


def test_binds_no_margin(desk):
    desk.give_position("ann", 2)
    before = desk.exchange.account_state("ann")
    desk.place("ann", "sell", 2, 105, reduce_only=True)
    assert desk.exchange.account_state("ann").withdrawable == before.withdrawable
