"""A limit edited on the page binds the next tick of every worker: two processes that have traded under the old one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from apps.exchanges.models import Order
from apps.risk.models import Limit, LimitKind
from apps.strategies.models import Tick
from moondev.domain.clock import LiveClock
from tests.browser.scenery import PASSWORD, messages
from tests.integration.test_tick_worker import PROJECT_ROOT, environment
from tests.integration.tick_world import World, own_redis, register

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
WORKER = """
import sys
import django
django.setup()
import tests.integration.tick_worker_library
from apps.strategies.orchestrator.tick import run_ticks
for line in sys.stdin:
    run_ticks([int(line)], "worker-" + sys.argv[1])
    print("done", flush=True)
"""
# However slow the machine: what is heard here stays new enough for the whole test.
LONG = timedelta(minutes=30)


@contextmanager
def worker(name: str):
    """Run a process that carries out the ticks it is told, one after the other."""
    command = [sys.executable, "-c", WORKER, name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    # Leaving the block closes both pipes, at which the worker ends, and waits for it.
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment(), text=True, bufsize=1, **pipes) as process:
        yield process


def tick(world: World, process: subprocess.Popen, slug: str, symbol: str) -> Order:
    """Have one strategy tick in one process; return the order it came to."""
    world.mark_equity()
    now = world.clock.now()
    strategy = world.strategy(slug, symbol, weight=0.5, deadline_ms=60_000)
    due = Tick.objects.create(strategy=strategy, trigger="interval", event=slug, due_at=now, deadline=now + LONG)
    process.stdin.write(f"{due.pk}\n")
    assert process.stdout.readline() == "done\n"
    return Order.objects.get(strategy=slug)


def test_an_edit_on_the_page_binds_the_next_tick_of_workers_that_run_already(
    transactional_db, monkeypatch, log_in, live_server
):
    register(monkeypatch)
    get_user_model().objects.create_superuser("operator", password=PASSWORD)
    world = World(own_redis(), ("BTC", "ETH", "SOL", "XRP"))
    world.clock = LiveClock()
    Limit.objects.filter(kind=LimitKind.MAX_DATA_AGE_MS).update(value=LONG.total_seconds() * 1000)
    for symbol in world.instruments:
        world.book(symbol, 50_000.0)
    with ExitStack() as stack:
        one, other = (stack.enter_context(worker(name)) for name in ("one", "other"))
        before = [tick(world, one, "btc", "BTC"), tick(world, other, "eth", "ETH")]
        assert [(order.status, order.refusal_code) for order in before] == [("approved", "")] * 2

        limit = Limit.objects.get(kind=LimitKind.MAX_ORDER_NOTIONAL)
        page = log_in(address=f"/admin/risk/limit/{limit.pk}/change/")
        page.fill("#id_value", "1000")
        page.click("input[name=_save]")
        assert "changed successfully" in messages(page)

        after = [tick(world, one, "sol", "SOL"), tick(world, other, "xrp", "XRP")]
    told = [(order.status, order.refusal_code, order.refusal_limit) for order in after]
    assert told == [("refused", "NOTIONAL_EXCEEDS_MAXIMUM", "1000.000000000000")] * 2
    assert Order.objects.exclude(status="refused").count() == 2
