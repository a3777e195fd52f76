"""What the order path costs on PostgreSQL. Prints, asserts counts and no times."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.exchanges.orders.services import orders_claim, reports_apply
from moondev.domain.fills import FillReport
from moondev.domain.orders import OrderStatus, PlaceOrder
from tests.support.order_world import World, assert_books, make_world, report

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

ROUNDS = 15


def server_cpu_ms() -> float:
    """Return the CPU that our connection's server process has used, where it runs on this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def measured(name: str, work: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> None:
    walls, cpus, servers = [], [], 0.0
    for _ in range(ROUNDS):
        prepare()
        server, wall, cpu = server_cpu_ms(), time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
        servers += server_cpu_ms() - server
    print(  # noqa: T201  the table is the result
        f"{name:<28} wall median {median(walls):6.1f} ms, best {min(walls):6.1f} ms;"
        f" CPU here {median(cpus):5.1f} ms, server {servers / ROUNDS:5.1f} ms"
    )


def trade_of(world: World, request: PlaceOrder) -> FillReport:
    """Return the venue's fill of a whole order."""
    numbers = (request.side, request.price.value, request.quantity.value)
    order = world.venue._new(request.client_order_id, "BTC", *numbers, reduce_only=False)
    return world.venue.trade("BTC", request.side, request.quantity.value, request.price.value, order)


@pytest.fixture
def world() -> World:
    return make_world()


def test_cost_of_recording_100_orders(world: World) -> None:
    entries: list = []

    def prepare() -> None:
        entries[:] = [world.entry() for _ in range(100)]

    measured("record 100 orders", lambda: world.record(*entries), prepare)
    assert_books()


def test_cost_of_a_life_of_50_orders(world: World) -> None:
    """Claim, begin, acknowledge and fill, each with nothing else in between."""
    from apps.exchanges.orders.begin import orders_begin

    state: dict = {}
    account = world.account.pk

    def record() -> None:
        world.record(*[world.entry() for _ in range(50)])

    def claim() -> None:
        state["claim"] = orders_claim(account_id=account, worker="w", lease_seconds=10, now=world.clock.now())

    def begin() -> None:
        claimed = state["claim"]
        state["begun"] = orders_begin(
            claimed, [o.order_id for o in claimed.orders], until=claimed.until, venue_expires_at=claimed.until,
            now=world.clock.now(),
        )  # fmt: skip
        assert len(state["begun"]) == 50

    def acknowledge() -> None:
        claimed = state["claim"]
        reports = [
            report(o.client_order_id, OrderStatus.OPEN, venue_id=f"v{o.order_id}", source="send")
            for o in claimed.orders
        ]
        reports_apply(account_id=account, reports=reports, now=world.clock.now())

    def fill() -> None:
        reports = [
            report(o.client_order_id, fills=[t]) for o, t in zip(state["claim"].orders, state["trades"], strict=True)
        ]
        reports_apply(account_id=account, reports=reports, now=world.clock.now())

    def trade() -> None:
        state["trades"] = [trade_of(world, order.approved.request) for order in state["claim"].orders]

    steps = {
        "claim 50": (claim, [record]),
        "begin 50": (begin, [record, claim]),
        "apply 50 acknowledgements": (acknowledge, [record, claim, begin]),
        "apply 50 fills": (fill, [record, claim, begin, acknowledge, trade]),
    }
    for name, (work, before) in steps.items():
        world.clock.advance(timedelta(minutes=10))
        measured(name, work, lambda before=before: ([step() for step in before], None)[1])
    with CaptureQueriesContext(connection) as queries:
        fill()
    print("statements Django saw while applying 50 known fills:", len(queries))  # noqa: T201  the table is the result
    assert_books()
