"""The database restarts under everybody's feet while orders flow; everybody comes back."""

import pytest
from django.db import DatabaseError, connection

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
        assert len(trader.mock.orders(trader.address)) == 2 * BATCHES
    for trader in traders:
        trader.finish()
