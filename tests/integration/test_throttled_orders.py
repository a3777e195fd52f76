"""Redis goes away while orders flow to the mock exchange: what can wait waits in its row, what must not leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis

from apps.exchanges.adapters import Tools
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.throttle.alone import Alone
from apps.exchanges.execution.throttle.purse import Purse, Spender
from apps.exchanges.execution.throttle.shared import SharedThrottle
from apps.exchanges.models import Signer, Venue
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.ports import Credentials
from apps.exchanges.registry import adapter_of
from moondev.domain.clock import LiveClock
from moondev.domain.orders import Purpose, TimeInForce
from moondev.domain.values import Side
from tests.integration.live_world import PAPER, live_world
from tests.support.order_world import assert_books
from tests.support.private_redis import private_redis

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


class Wandering:
    """A Redis that can be sent away."""

    def __init__(self, real: redis.Redis) -> None:
        self.real, self.away = real, False

    def execute_command(self, *arguments: object) -> object:
        if self.away:
            raise redis.ConnectionError("connection refused")
        return self.real.execute_command(*arguments)


@pytest.fixture
def scene(tmp_path) -> Iterator[SimpleNamespace]:
    """A world whose one session pays from budgets in a Redis of its own."""
    clock, adapter = LiveClock(), adapter_of("hyperliquid")
    with private_redis(tmp_path) as server, live_world(clock) as live:
        wandering, alone = Wandering(server), Alone()
        purse = Purse(Spender("hyperliquid", "here", PAPER.address), {b.name: b for b in adapter.budgets}, clock)
        throttle = SharedThrottle(wandering, purse, alone)  # type: ignore[arg-type]
        asked = live.sessions.session(live.account, Signer.Purpose.ORDERS)
        key = Credentials(PAPER.address, PAPER.secret(Signer.Purpose.ORDERS))
        client = adapter.execution_client(Venue.objects.get().to_config(), key, Tools(clock, throttle))
        paying = replace(asked, client=client)
        live.sessions = SimpleNamespace(session=lambda *_: paying)
        yield SimpleNamespace(live=live, world=live.world, redis=wandering, alone=alone, unpaid=asked.client)
        client.close()


def send(scene: SimpleNamespace) -> None:
    Sender(scene.live.clock, scene.live.sessions, "w1").send(scene.live.account)


def statuses(scene: SimpleNamespace, *orders) -> list[str]:
    return [scene.world.order(order.client_order_id).status for order in orders]


def test_openings_wait_and_cancels_and_exits_leave_while_redis_is_away(scene: SimpleNamespace) -> None:
    world = scene.world
    resting = world.place("0.01", "49000")
    world.place("0.02", "50500", tif=TimeInForce.IOC)
    send(scene)
    assert reconcile_account(scene.live.account, scene.live.sessions, scene.live.clock).fills == 1
    scene.redis.away = True
    scene.alone.redis_failed()
    opening = world.place("0.01", "48900")
    exit_ = world.place("0.02", "49500", side=Side.SELL, purpose=Purpose.REDUCING, tif=TimeInForce.IOC)
    world.cancel(resting)
    send(scene)
    assert statuses(scene, opening) == ["approved"]
    assert (scene.unpaid.live_orders(), scene.unpaid.account_snapshot().positions) == ([], ())
    # Back again, Redis is told what was spent without it, and the opening leaves.
    scene.redis.away = False
    scene.alone._redis_away_until = 0.0
    type(opening).objects.filter(pk=opening.pk).update(claimed_until=scene.live.clock.now() - timedelta(seconds=1))
    send(scene)
    assert scene.alone._owed.total() == 0
    assert reconcile_account(scene.live.account, scene.live.sessions, scene.live.clock).complete
    assert statuses(scene, resting, opening, exit_) == ["cancelled", "open", "filled"]
    assert_books()
