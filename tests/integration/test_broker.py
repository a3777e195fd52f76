"""What the broker promises the callers: a bounded wait when it is away, the urgent first when it is there."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from moondev.embedded import embedded_servers

PROJECT_ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

# A fresh process: pools and connections of this one must not help.
PUBLISH = """
import time, django; django.setup()
from kombu.exceptions import OperationalError
from moondev.celery import send
began = time.monotonic()
try:
    send("strategies.tick", tick_id="x")
except (OperationalError, OSError) as error:
    print(f"{time.monotonic() - began:.2f}")
"""

CONSUME = """
import django; django.setup()
from moondev.celery import app, send
with app.connection_for_write() as connection:
    queue = app.amqp.queues["ticks"](connection.default_channel)
    queue.declare(); queue.purge()
    for urgency in (0, 9, 4, 0, 7):
        send("strategies.tick", urgency=urgency, mark=urgency)
    import json
    seen = []
    with app.connection_for_read() as reading:
        def take(body, message):
            seen.append(body[1]["mark"]); message.ack()
        with reading.Consumer(app.amqp.queues["ticks"], callbacks=[take], accept=["json"], prefetch_count=1):
            while len(seen) < 5:
                reading.drain_events(timeout=5)
    print(seen)
"""


def run(program, broker):
    environment = {**os.environ, "BROKER_URL": broker, "DJANGO_SETTINGS_MODULE": "moondev.settings.test"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


@contextmanager
def silent_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield server.getsockname()[1]


@pytest.mark.parametrize("place", [closed_port, silent_port])
@pytest.mark.parametrize("scheme", ["amqp://guest:guest@127.0.0.1:{}//", "redis://127.0.0.1:{}/0"])
def test_a_publish_gives_up_soon_when_the_broker_is_away(scheme, place):
    with place() as port:
        waited = run(PUBLISH, scheme.format(port))
    # A second by design; the rest is for a busy machine. What must never happen is minutes.
    assert float(waited) < 10


def test_rabbitmq_delivers_the_urgent_first():
    broker = os.environ.get("BROKER_URL", "")
    if not broker.startswith("amqp"):
        pytest.skip("BROKER_URL names no RabbitMQ")
    assert run(CONSUME, broker) == "[9, 7, 4, 0, 0]"


def test_redis_delivers_the_urgent_first(tmp_path):
    with embedded_servers(tmp_path) as urls:
        assert run(CONSUME, urls["BROKER_URL"]) == "[9, 7, 4, 0, 0]"
