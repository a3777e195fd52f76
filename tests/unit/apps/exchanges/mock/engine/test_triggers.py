from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import (
    CancelReason,
    Grouping,
    OrderStatus,
    RejectCode,
    Rejected,
    Resting,
    Tif,
    WaitingForFill,
    WaitingForTrigger,
)
from apps.exchanges.mock.engine.events import OrderUpdated

D = Decimal


def status(desk, who, answer):
    order = desk.exchange.order_by_oid(who, answer.oid)
    return (order.status, order.reason)


@pytest.mark.parametrize(
    ("side", "kind", "trigger_px", "miss", "hit"),
    [
        ("sell", "sl", 95, 96, 95),
        ("sell", "tp", 105, 104, 105),
        ("buy", "sl", 105, 104, 105),
        ("buy", "tp", 95, 96, 95),
    ],
)
def test_fires_when_the_mark_reaches_the_trigger_and_not_before(desk, side, kind, trigger_px, miss, hit):
    desk.give_position("ann", 1 if side == "sell" else -1)
    desk.place("bob", "buy" if side == "sell" else "sell", 5, 100)
    answer = desk.trigger("ann", side, 1, trigger_px, kind)
    assert isinstance(answer, WaitingForTrigger)
    desk.exchange.set_mark("BTC", D(miss))
    assert desk.exchange.order_by_oid("ann", answer.oid).waiting
    desk.exchange.set_mark("BTC", D(hit))
    assert status(desk, "ann", answer) == (OrderStatus.FILLED, None)
    assert desk.position("ann") == 0


def test_tells_that_the_order_triggered_before_it_filled(desk):
    desk.give_position("ann", 1)
    desk.place("bob", "buy", 1, 95)
    answer = desk.trigger("ann", "sell", 1, 95, "sl")
    desk.exchange.set_mark("BTC", D(95))
    seen = [e.order.status for e in desk.of(OrderUpdated) if e.order.oid == answer.oid]
    assert seen == [OrderStatus.OPEN, OrderStatus.TRIGGERED, OrderStatus.FILLED]


def test_refuses_a_trigger_that_would_fire_at_once(desk):
    desk.give_position("ann", 1)
    answer = desk.trigger("ann", "sell", 1, 101, "sl")
    assert answer.code is RejectCode.BAD_TRIGGER_PRICE
    assert desk.exchange.open_orders("ann") == []


def test_refuses_a_trigger_price_off_the_grid(desk):
    assert desk.trigger("ann", "sell", 1, "95.55", "sl", price=D(90)).code is RejectCode.TICK


def test_rests_a_triggered_limit_order_at_its_price(desk):
    desk.give_position("ann", 1)
    answer = desk.trigger("ann", "sell", 1, 105, "tp", is_market=False, price=D(106))
    desk.exchange.set_mark("BTC", D(105))
    [level] = desk.exchange.book("BTC").asks
    assert (level.price, level.size) == (D(106), D(1))
    assert status(desk, "ann", answer) == (OrderStatus.OPEN, None)


def test_cancels_a_triggered_market_order_that_finds_nothing(desk):
    desk.give_position("ann", 1)
    answer = desk.trigger("ann", "sell", 1, 95, "sl")
    desk.exchange.set_mark("BTC", D(95))
    assert status(desk, "ann", answer) == (OrderStatus.CANCELED, CancelReason.IMMEDIATE_REMAINDER)
    assert desk.position("ann") == D(1)


def test_cancels_a_triggered_reduction_without_a_position(desk):
    desk.give_position("ann", 1)
    answer = desk.trigger("ann", "sell", 1, 95, "sl")
    desk.give_position("ann", -1)
    desk.place("bob", "buy", 1, 95)
    desk.exchange.set_mark("BTC", D(95))
    assert status(desk, "ann", answer) == (OrderStatus.CANCELED, CancelReason.REDUCE_ONLY)
    assert desk.position("ann") == 0


def test_checks_the_margin_of_an_opening_trigger_when_it_fires(desk):
    answer = desk.trigger("ann", "buy", 900_000, 105, "sl", reduce_only=False)
    assert isinstance(answer, WaitingForTrigger)
    desk.exchange.set_mark("BTC", D(105))
    assert status(desk, "ann", answer) == (OrderStatus.CANCELED, CancelReason.MARGIN)


def bracket(desk, entry_price=100, **entry):
    return desk.grouped(
        "ann",
        Grouping.NORMAL_TPSL,
        desk.order("buy", 2, entry_price, **entry),
        desk.leg("sell", 2, 110, "tp"),
        desk.leg("sell", 2, 90, "sl"),
    )


def test_lets_the_legs_of_a_resting_parent_wait_for_its_fill(desk):
    parent, take, stop = bracket(desk)
    assert (type(parent), type(take), type(stop)) == (Resting, WaitingForFill, WaitingForFill)
    assert desk.exchange.order_by_oid("ann", parent.oid).children == (take.oid, stop.oid)
    desk.exchange.set_mark("BTC", D(89))
    assert desk.exchange.order_by_oid("ann", stop.oid).waiting


def test_arms_the_legs_when_the_parent_is_filled(desk):
    parent, take, stop = bracket(desk)
    desk.place("bob", "sell", 2, 100)
    desk.place("cat", "buy", 2, 90)
    desk.exchange.set_mark("BTC", D(90))
    assert status(desk, "ann", parent)[0] is OrderStatus.FILLED
    assert status(desk, "ann", stop) == (OrderStatus.FILLED, None)
    assert status(desk, "ann", take) == (OrderStatus.CANCELED, CancelReason.SIBLING_FILLED)
    assert desk.position("ann") == 0


def test_arms_the_legs_at_once_when_the_parent_fills_at_once(desk):
    desk.place("bob", "sell", 2, 100)
    _, take, stop = bracket(desk)
    assert (type(take), type(stop)) == (WaitingForTrigger, WaitingForTrigger)


def test_arms_the_legs_of_a_parent_that_the_book_filled_in_part(desk):
    desk.place("bob", "sell", 1, 100)
    _, take, stop = bracket(desk, tif=Tif.IOC)
    assert (type(take), type(stop)) == (WaitingForTrigger, WaitingForTrigger)
    desk.place("cat", "buy", 5, 90)
    desk.exchange.set_mark("BTC", D(90))
    assert desk.position("ann") == 0
    assert desk.exchange.order_by_oid("ann", stop.oid).size == D(1)


def test_cancels_the_legs_with_a_parent_its_owner_cancels(desk):
    parent, take, stop = bracket(desk)
    desk.exchange.cancel("ann", "BTC", parent.oid)
    assert status(desk, "ann", take) == (OrderStatus.CANCELED, CancelReason.PARENT)
    assert status(desk, "ann", stop) == (OrderStatus.CANCELED, CancelReason.PARENT)


def test_places_no_leg_when_the_parent_is_refused(desk):
    answers = bracket(desk, tif=Tif.IOC)
    codes = [answer.code for answer in answers]
    assert codes == [RejectCode.IOC_NO_MATCH, RejectCode.PARENT_REJECTED, RejectCode.PARENT_REJECTED]
    assert desk.exchange.open_orders("ann") == []


def test_keeps_the_legs_of_a_parent_that_is_modified(desk):
    parent, take, stop = bracket(desk, entry_price=99)
    moved = desk.exchange.modify("ann", parent.oid, desk.order("buy", 2, 100))
    assert desk.exchange.order_by_oid("ann", moved.oid).children == (take.oid, stop.oid)
    desk.place("bob", "sell", 2, 100)
    desk.exchange.set_mark("BTC", D(90))
    assert desk.exchange.order_by_oid("ann", stop.oid).status is not OrderStatus.OPEN


def test_refuses_a_leg_without_a_trigger(desk):
    legs = desk.order("buy", 2, 100), desk.order("sell", 2, 110)
    answers = desk.grouped("ann", Grouping.NORMAL_TPSL, *legs)
    assert answers[1].code is RejectCode.BAD_TRIGGER_PRICE


def position_legs(desk):
    legs = desk.leg("sell", 1, 110, "tp"), desk.leg("sell", 1, 90, "sl")
    return desk.grouped("ann", Grouping.POSITION_TPSL, *legs)


def test_sizes_position_orders_by_the_position_as_it_changes(desk):
    desk.give_position("ann", 2)
    take, stop = position_legs(desk)
    assert desk.exchange.order_by_oid("ann", stop.oid).size == D(2)
    desk.give_position("ann", 3)
    assert desk.exchange.order_by_oid("ann", stop.oid).size == D(5)
    desk.give_position("ann", -4)
    assert desk.exchange.order_by_oid("ann", take.oid).remaining == D(1)


def test_cancels_position_orders_with_the_position(desk):
    desk.give_position("ann", 2)
    take, stop = position_legs(desk)
    desk.give_position("ann", -2)
    assert status(desk, "ann", take) == (OrderStatus.CANCELED, CancelReason.REDUCE_ONLY)
    assert status(desk, "ann", stop) == (OrderStatus.CANCELED, CancelReason.REDUCE_ONLY)


def test_position_orders_exclude_each_other(desk):
    desk.give_position("ann", 2)
    desk.place("bob", "buy", 2, 110)
    take, stop = position_legs(desk)
    desk.exchange.set_mark("BTC", D(110))
    assert status(desk, "ann", take) == (OrderStatus.FILLED, None)
    assert status(desk, "ann", stop)[0] is OrderStatus.CANCELED


def test_refuses_position_orders_without_a_position(desk):
    answers = position_legs(desk)
    assert all(isinstance(a, Rejected) and a.code is RejectCode.REDUCE_ONLY for a in answers)


def test_cancels_a_waiting_order_on_request(desk):
    desk.give_position("ann", 1)
    answer = desk.trigger("ann", "sell", 1, 95, "sl")
    desk.exchange.cancel("ann", "BTC", answer.oid)
    desk.place("bob", "buy", 1, 95)
    desk.exchange.set_mark("BTC", D(94))
    assert desk.position("ann") == D(1)


def test_cancels_the_legs_of_a_half_filled_parent_its_owner_cancels(desk):
    parent, take, stop = bracket(desk)
    desk.place("bob", "sell", 1, 100)
    desk.exchange.cancel("ann", "BTC", parent.oid)
    assert desk.position("ann") == D(1)
    assert {status(desk, "ann", leg) for leg in (take, stop)} == {(OrderStatus.CANCELED, CancelReason.PARENT)}


def test_fires_only_one_of_two_legs_that_are_due_together(desk):
    desk.give_position("ann", 2)
    desk.place("bob", "buy", 9, 90)
    legs = desk.leg("sell", 2, 92, "sl", price=D(80)), desk.leg("sell", 2, 91, "sl", price=D(80))
    first, second = desk.grouped("ann", Grouping.POSITION_TPSL, *legs)
    desk.exchange.set_mark("BTC", D(90))
    assert status(desk, "ann", first) == (OrderStatus.FILLED, None)
    seen = [e.order.status for e in desk.of(OrderUpdated) if e.order.oid == second.oid]
    assert seen == [OrderStatus.OPEN, OrderStatus.CANCELED]
    assert desk.position("bob") == D(2)
