"""The database restarts under everybody's feet while orders flow; everybody comes back."""

import pytest
from django.db import DatabaseError, connection

from moondev.domain.orders import OrderStatus
from tests.chaos.waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
BATCHES = 12


def record_stubbornly(trader):
    """Record a pair of orders, as often as it takes; the same two, so an attempt that did commit counts."""
    entries = trader.bid(), trader.taker()

    def recorded():
        try:
            trader.record(*entries)
        except DatabaseError:
            connection.close()
            return False
        return True

    wait_until("the database to take an order", recorded)


def test_a_database_that_restarts_while_orders_flow_loses_none_and_doubles_none(servers, new_trader):
    traders = [new_trader() for _ in range(2)]
    for batch in range(BATCHES):
        if batch == BATCHES // 2:
            servers.stop("postgres")
            servers.start("postgres")
        for trader in traders:
            record_stubbornly(trader)
    for trader in traders:
        trader.settle(120)
        assert trader.orders().count() == 2 * BATCHES
        assert_those_not_at_the_venue_never_left(trader)
    for trader in traders:
        (after,) = trader.record(trader.bid())
        trader.wait_status(after, OrderStatus.OPEN)
        trader.finish()


def assert_those_not_at_the_venue_never_left(trader):
    """Only what was about to leave at that very moment may end unsent; the venue was asked about each of them."""
    for order in trader.orders().exclude(client_order_id__in=trader.mock.orders(trader.address)):
        assert order.status == OrderStatus.EXPIRED
        assert OrderStatus.UNKNOWN in trader.history(order)
