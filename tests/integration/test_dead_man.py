"""Our process falls silent: the mock exchange cancels as Hyperliquid does, and our rows follow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest

from apps.exchanges.execution.dead_man import DeadMan
from apps.exchanges.execution.sender import Sender
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.clock import LiveClock, ReplayClock
from tests.integration.live_world import live_world
from tests.support.order_world import assert_books

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

# Twenty seconds of the venue pass in one of ours: it wants at least five ahead.
SPEED, AHEAD = 20.0, 0.5


@pytest.fixture
def live() -> Iterator[SimpleNamespace]:
    now = LiveClock().now()
    with live_world(ReplayClock(now - timedelta(hours=1), now, SPEED)) as world:
        yield world


def until_cancelled(live: SimpleNamespace, client) -> None:
    deadline = time.monotonic() + 15
    while client.live_orders():
        assert time.monotonic() < deadline, "the venue has cancelled nothing"
        time.sleep(0.02)


def test_orders_that_nobody_minds_are_cancelled_by_the_venue_and_the_record_follows(live: SimpleNamespace) -> None:
    orders = [live.world.place("0.01", price) for price in ("49000", "48900")]
    Sender(live.clock, live.sessions, "w1").send(live.account)
    client = live.sessions.session(live.account, "orders").client
    assert len(client.live_orders()) == 2
    minder = DeadMan("hyperliquid", live.sessions, live.clock, lambda: True, ahead_seconds=AHEAD, refresh_seconds=0.1)
    # Minded for longer than the timer is set for, nothing happens to them.
    ends = time.monotonic() + 2 * AHEAD
    while time.monotonic() < ends:
        minder.look({live.account})
        time.sleep(0.02)
    assert len(client.live_orders()) == 2
    # From now on nobody looks.
    until_cancelled(live, client)
    time.sleep(2.5)
    assert reconcile_account(live.account, live.sessions, live.clock).complete
    for order in orders:
        order.refresh_from_db()
        assert (order.status, order.reserved) == ("cancelled", 0)
    assert_books()
