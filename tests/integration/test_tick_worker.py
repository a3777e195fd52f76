"""Ticks through a real prefork worker: from a message on the broker to rows, a stuck strategy beside a good one."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from apps.exchanges.models import Order
from apps.strategies.models import StrategyRow, Tick
from moondev.domain.clock import LiveClock
from moondev.heartbeat.stores import SqlBeats
from tests.integration.tick_world import REDIS_DATABASE, World, own_redis, register

PROJECT_ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.django_db(transaction=True)]

DISPATCH = """
import django; django.setup()
from moondev.domain.clock import process_clock
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
dispatch(due_by_cadence(60, process_clock().now()), process_clock())
"""


def environment():
    """Return an environment whose database is the test's and whose broker is a Redis database nobody else uses."""
    settings = connection.settings_dict
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + settings["NAME"])
    cache = urlsplit(os.environ["REDIS_URL"])
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "moondev.settings.dev",
        "DATABASE_URL": database.geturl(),
        "REDIS_URL": cache._replace(path=f"/{REDIS_DATABASE}").geturl(),
        "BROKER_URL": cache._replace(path=f"/{REDIS_DATABASE + 1}").geturl(),
        "PYTHONPATH": str(PROJECT_ROOT),
    }


@contextmanager
def worker():
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "moondev.celery",
        "worker",
        "-Q",
        "ticks",
        "-P",
        "prefork",
        "-c",
        "1",
    ]
    command += ["-I", "tests.integration.tick_worker_library", "--without-gossip", "--without-mingle", "-l", "WARNING"]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment(), start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def test_a_worker_runs_the_shard_though_one_strategy_never_returns(monkeypatch):
    register(monkeypatch)
    client = own_redis()
    world = World(client)
    world.clock = LiveClock()
    world.mark_equity()
    for symbol in world.instruments:
        world.book(symbol, 50_000.0)
    stuck = world.strategy("stuck", "BTC", deadline_ms=60_000)
    world.strategy("good", "ETH", weight=0.5, deadline_ms=60_000)
    StrategyRow.objects.filter(pk=stuck.pk).update(parameters={"behaviour": "hangs"})
    subprocess.run([sys.executable, "-c", DISPATCH], cwd=PROJECT_ROOT, env=environment(), check=True, timeout=60)
    with worker():
        until = time.monotonic() + 60
        while Tick.objects.filter(status__in=["due", "running"]).exists() and time.monotonic() < until:
            time.sleep(0.1)
    ticks = {tick.strategy.slug: tick for tick in Tick.objects.select_related("strategy")}
    client.close()
    assert ticks["good"].status == "done", ticks["good"].error
    assert ticks["stuck"].status == "failed"
    assert "did not return" in ticks["stuck"].error
    assert StrategyRow.objects.get(slug="stuck").overruns == 1
    assert list(Order.objects.values_list("strategy", flat=True)) == ["good"]
    # The worker's loop went round all the while, and it said goodbye.
    (told,) = [beat for beat in SqlBeats().read() if beat.name == "celery"]
    assert told.turned is not None
    assert told.ended is not None
    assert told.slots == 1
