"""Messages are wake-ups: twice, at once or never changes when something happens, not what."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from moondev.celery import send
from moondev.domain.orders import OrderStatus

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
TIMES = 4


def publish_often(trader, times=TIMES):
    """Publish the same wake-up several times at once."""
    with ThreadPoolExecutor(times) as pool:
        sending = [
            pool.submit(send, "exchanges.orders_send", account_id=trader.account.pk, venue=trader.account.venue_id)
            for _ in range(times)
        ]
    for one in sending:
        one.result()


def test_every_wake_up_delivered_several_times_at_once_sends_each_order_once(new_trader):
    traders = [new_trader() for _ in range(2)]
    for _ in range(5):
        for trader in traders:
            trader.record(trader.bid(), trader.taker(), trader.bid())
            publish_often(trader)
    for trader in traders:
        trader.settle()
        assert trader.orders().filter(status=OrderStatus.FILLED).count() == 5
        assert trader.orders().filter(status=OrderStatus.OPEN).count() == 10
        assert len(trader.mock.orders(trader.address)) == 15
    for trader in traders:
        resting = list(trader.orders().filter(status=OrderStatus.OPEN))
        trader.cancel(resting)
        trader.cancel(resting)
        publish_often(trader)
        trader.finish()


def test_an_order_whose_wake_up_was_lost_is_sent_all_the_same(trader):
    (bid,) = trader.record(trader.bid(), wake=False)
    trader.wait_status(bid, OrderStatus.OPEN, seconds=10)
    trader.cancel([bid], wake=False)
    trader.wait_status(bid, OrderStatus.CANCELLED, seconds=10)
    trader.finish()
