"""An order with an end of its own is cancelled then, wherever it is kept, and never refused twice."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import CancelReason, OrderStatus, RejectCode
from moondev.domain.clock import milliseconds

D = Decimal


def soon(desk) -> int:
    return milliseconds(desk.clock.now()) + 5_000


def test_ends_resting_and_waiting_orders_at_their_time_and_no_other(desk):
    resting = desk.place("ann", "buy", 1, 90, expires_ms=soon(desk))
    waiting = desk.trigger("ann", "sell", 1, 80, "sl", reduce_only=False, expires_ms=soon(desk))
    lasting = desk.place("ann", "buy", 1, 91)
    desk.later(seconds=4)
    assert len(desk.exchange.open_orders("ann")) == 3
    desk.later(seconds=1)
    assert [order.oid for order in desk.exchange.open_orders("ann")] == [lasting.oid]
    for oid in (resting.oid, waiting.oid):
        order = desk.exchange.order_by_oid("ann", oid)
        assert (order.status, order.reason) == (OrderStatus.CANCELED, CancelReason.EXPIRED)


def test_an_amended_order_keeps_its_end(desk):
    order = desk.place("ann", "buy", 1, 90, expires_ms=soon(desk))
    desk.exchange.amend("ann", order.oid, price=D(92))
    desk.later(seconds=5)
    assert desk.exchange.open_orders("ann") == []


def test_one_that_was_filled_before_its_end_stays_filled(desk):
    order = desk.place("ann", "buy", 1, 100, expires_ms=soon(desk))
    desk.ioc("bob", "sell", 1, 100)
    desk.later(seconds=6)
    assert desk.exchange.order_by_oid("ann", order.oid).status is OrderStatus.FILLED


def test_remembers_no_more_than_a_few_of_the_orders_that_have_ended(desk):
    keeps = desk.place("ann", "buy", 1, 89, expires_ms=soon(desk))
    for _ in range(2_500):
        order = desk.place("ann", "buy", 1, 90, expires_ms=soon(desk) + 1_000_000)
        desk.exchange.cancel("ann", "BTC", order.oid)
    assert len(desk.exchange._venue.deadlines) < 1_100
    desk.later(seconds=6)
    assert desk.exchange.order_by_oid("ann", keeps.oid).reason is CancelReason.EXPIRED


def test_refuses_an_end_that_is_past(desk):
    now = milliseconds(desk.clock.now())
    assert desk.place("ann", "buy", 1, 90, expires_ms=now).code is RejectCode.ALREADY_EXPIRED
    assert desk.exchange.open_orders("ann") == []
