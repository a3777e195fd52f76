from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import (
    Cancelled,
    CancelReason,
    Done,
    OrderStatus,
    RejectCode,
    Rejected,
    Resting,
    Tif,
)
from moondev.domain.clock import milliseconds

D = Decimal


def test_cancels_by_order_id_and_by_client_id(desk):
    one, two = desk.place("ann", "buy", 1, 99), desk.place("ann", "buy", 1, 98, cloid="0x2")
    assert desk.exchange.cancel("ann", "BTC", one.oid) == Cancelled(one.oid)
    assert desk.exchange.cancel_by_cloid("ann", "BTC", "0x2") == Cancelled(two.oid)
    assert desk.exchange.open_orders("ann") == []
    assert desk.exchange.book("BTC").bids == ()


def test_refuses_to_cancel_twice(desk):
    order = desk.place("ann", "buy", 1, 99)
    desk.exchange.cancel("ann", "BTC", order.oid)
    assert desk.exchange.cancel("ann", "BTC", order.oid).code is RejectCode.UNKNOWN_ORDER


@pytest.mark.parametrize(("who", "coin"), [("bob", "BTC"), ("ann", "ETH")])
def test_refuses_to_cancel_what_belongs_to_others_or_another_coin(desk, who, coin):
    order = desk.place("ann", "buy", 1, 99)
    assert desk.exchange.cancel(who, coin, order.oid).code is RejectCode.UNKNOWN_ORDER
    assert len(desk.exchange.open_orders("ann")) == 1


def test_modify_gives_a_new_id_and_keeps_the_client_id(desk):
    old = desk.place("ann", "buy", 1, 99, cloid="0x1")
    new = desk.exchange.modify("ann", "0x1", desk.order("buy", 2, 98, cloid="0x1"))
    assert isinstance(new, Resting)
    assert new.oid != old.oid
    assert desk.exchange.order_by_cloid("ann", "0x1").oid == new.oid
    was = desk.exchange.order_by_oid("ann", old.oid)
    assert (was.status, was.reason) == (OrderStatus.CANCELED, CancelReason.USER)
    [level] = desk.exchange.book("BTC").bids
    assert (level.price, level.size) == (D(98), D(2))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"price": "98.77"}, RejectCode.TICK),
        ({"size": 300_000}, RejectCode.INSUFFICIENT_MARGIN),
        ({"price": 101, "tif": Tif.ALO}, RejectCode.BAD_ALO_PRICE),
        ({"reduce_only": True}, RejectCode.REDUCE_ONLY),
        ({"coin": "ETH", "price": 9}, RejectCode.CANNOT_MODIFY),
    ],
)
def test_a_refused_modify_leaves_the_old_order_as_it_was(desk, fields, code):
    desk.place("bob", "sell", 1, 101)
    old = desk.place("ann", "buy", 1, 99, cloid="0x1")
    new = desk.order("buy", **({"size": 1, "price": 99, "cloid": "0x1"} | fields))
    answer = desk.exchange.modify("ann", old.oid, new)
    assert (type(answer), answer.code) == (Rejected, code)
    assert [order.oid for order in desk.exchange.open_orders("ann")] == [old.oid]
    assert desk.exchange.order_by_cloid("ann", "0x1").oid == old.oid
    assert desk.exchange.account_state("ann").order_margin == D(5)


def test_modify_needs_no_margin_for_the_order_it_replaces(desk):
    old = desk.place("ann", "buy", 190_000, 100)
    assert isinstance(desk.exchange.modify("ann", old.oid, desk.order("buy", 190_000, 99)), Resting)


def test_a_modified_order_may_trade_at_once(desk):
    desk.place("bob", "sell", 1, 101)
    old = desk.place("ann", "buy", 1, 99)
    desk.exchange.modify("ann", old.oid, desk.order("buy", 1, 101))
    assert desk.position("ann") == D(1)


def test_refuses_to_modify_what_is_not_open(desk):
    assert desk.exchange.modify("ann", 1, desk.order("buy", 1, 99)).code is RejectCode.CANNOT_MODIFY
    assert desk.exchange.open_orders("ann") == []


def ahead(desk, ms: int) -> int:
    return milliseconds(desk.clock.now()) + ms


def test_cancels_everything_when_the_scheduled_time_comes(desk):
    order = desk.place("ann", "buy", 1, 99)
    desk.place("bob", "buy", 1, 99)
    assert desk.exchange.schedule_cancel("ann", ahead(desk, 5_000)) == Done()
    desk.later(seconds=4.9)
    assert len(desk.exchange.open_orders("ann")) == 1
    desk.later(seconds=0.1)
    assert desk.exchange.open_orders("ann") == []
    assert desk.exchange.order_by_oid("ann", order.oid).reason is CancelReason.SCHEDULED
    assert len(desk.exchange.open_orders("bob")) == 1


def test_refuses_a_schedule_that_is_too_near_and_keeps_the_one_in_force(desk):
    desk.place("ann", "buy", 1, 99)
    desk.exchange.schedule_cancel("ann", ahead(desk, 6_000))
    assert desk.exchange.schedule_cancel("ann", ahead(desk, 4_999)).code is RejectCode.SCHEDULE_TOO_SOON
    desk.later(seconds=6)
    assert desk.exchange.open_orders("ann") == []


def test_unsets_the_schedule(desk):
    desk.place("ann", "buy", 1, 99)
    desk.exchange.schedule_cancel("ann", ahead(desk, 5_000))
    desk.exchange.schedule_cancel("ann", None)
    desk.later(seconds=60)
    assert len(desk.exchange.open_orders("ann")) == 1


def test_allows_ten_fired_schedules_a_day(desk):
    for _ in range(10):
        assert desk.exchange.schedule_cancel("ann", ahead(desk, 5_000)) == Done()
        desk.later(seconds=5)
    assert desk.exchange.schedule_cancel("ann", ahead(desk, 5_000)).code is RejectCode.SCHEDULE_LIMIT
    desk.later(days=1)
    assert desk.exchange.schedule_cancel("ann", ahead(desk, 5_000)) == Done()
