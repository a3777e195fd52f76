"""The broker restarts, or is down for a minute: what was written meanwhile goes out once it is back."""

import os
import time

import pytest

from moondev.domain.orders import OrderStatus
from tests.chaos.trader import INSIDE, LOT

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]
# A request is at the venue, unanswered, while the broker goes.
BUSY_MS = 4_000
# A minute; somebody in a hurry may shorten it.
DOWN_SECONDS = float(os.environ.get("MOONDEV_CHAOS_BROKER_DOWN_SECONDS", "60"))


def test_a_broker_that_restarts_loses_no_order_and_doubles_none(servers, trader):
    servers.stop("rabbitmq")
    trader.record(trader.bid(), trader.taker())
    servers.start("rabbitmq")
    trader.record(trader.bid(), trader.taker())
    trader.settle(120)
    assert len(trader.mock.orders(trader.address)) == 4
    trader.finish()


def test_a_sender_that_was_busy_while_the_broker_restarted_goes_on_with_the_next(servers, new_trader):
    busy, others = new_trader(), [new_trader() for _ in range(3)]
    busy.mock.fault("latency_ms", value=BUSY_MS, action="order", count=1)
    busy.record(busy.bid(), busy.taker())
    busy.mock.wait_struck("latency_ms")
    servers.stop("rabbitmq")
    servers.start("rabbitmq")
    for _ in range(5):
        for trader in others:
            trader.record(trader.taker())
    for trader in (busy, *others):
        # The worker waits up to ten seconds between two attempts to reach the broker; it must not lose a minute more.
        trader.settle(40)
        trader.finish()


def test_a_broker_that_is_down_for_long_delays_orders_and_cancels_and_loses_none(servers, new_trader):
    writing, resting = new_trader(), new_trader()
    bids = resting.record(*[resting.bid() for _ in range(4)])
    for bid in bids:
        resting.wait_status(bid, OrderStatus.OPEN)
    with servers.stopped("rabbitmq"):
        back_at = time.monotonic() + DOWN_SECONDS
        orders = writing.record(*[writing.bid(valid_seconds=300) for _ in range(3)], writing.taker(valid_seconds=300))
        (late,) = writing.record(writing.taker(valid_seconds=DOWN_SECONDS / 4))
        resting.cancel(bids[:2])
        # The streams need no broker: fills are booked while it is away.
        assert resting.mock.trade("sell", INSIDE - 89, 4 * LOT) == 4 * LOT
        for bid in bids[2:]:
            resting.wait_status(bid, OrderStatus.FILLED, seconds=15)
        writing.wait_status(late, OrderStatus.EXPIRED, seconds=DOWN_SECONDS / 4 + 15)
        assert not writing.mock.orders(writing.address)
        time.sleep(max(0.0, back_at - time.monotonic()))
    for trader in (writing, resting):
        trader.settle(120)
    assert [writing.status(order) for order in orders] == [*[OrderStatus.OPEN] * 3, OrderStatus.FILLED]
    assert late.client_order_id not in writing.mock.orders(writing.address), "an order was sent after its time"
    for trader in (writing, resting):
        trader.finish()
