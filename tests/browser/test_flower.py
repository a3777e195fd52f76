"""Flower beside a real worker on a real broker, in a browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Error

from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import flower_process
from tests.browser.scenery import texts

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(180)]
PROJECT_ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD = "operator", "flower-password"
# A queue that nothing else consumes while tests run.
QUEUE = "alerts"
START_SECONDS = 60


@contextmanager
def running(command, log, **environment):
    """Run a program; end it afterwards, by force when it does not end by itself."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status_of(url):
    """Return the HTTP status without a login; None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return None


def wait_for(condition, log):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)


@pytest.fixture(scope="module")
def flower(tmp_path_factory):
    """Return the address of a Flower that watches one worker."""
    folder, port = tmp_path_factory.mktemp("flower"), free_port()
    name = f"browser-test-{port}@localhost"
    worker = [
        *(sys.executable, "-m", "celery", "-A", "moondev.celery", "worker", f"--hostname={name}"),
        *(f"--queues={QUEUE}", "--pool=threads", "--concurrency=1", "--loglevel=INFO"),
        *("--without-gossip", "--without-mingle"),
    ]
    spec = flower_process(Ports(mock=1, web=1, flower=port))
    environment = {
        "DJANGO_SETTINGS_MODULE": "moondev.settings.test",
        "BROKER_URL": settings.BROKER_URL,
        "FLOWER_BASIC_AUTH": f"{USER}:{PASSWORD}",
    }
    with ExitStack() as stack:
        logs = {part: folder / f"{part}.log" for part in ("worker", "flower")}
        stack.enter_context(running(worker, logs["worker"], **environment))
        wait_for(lambda: "ready" in logs["worker"].read_text(), logs["worker"])
        stack.enter_context(running(list(spec.command), logs["flower"], **environment))
        url = f"http://127.0.0.1:{port}/"
        wait_for(lambda: status_of(url) is not None, logs["flower"])
        yield url, name


def test_flower_turns_strangers_away(flower, page):
    url, _ = flower
    assert status_of(url) == 401
    assert status_of(f"{url}api/workers") == 401
    # A browser that cannot ask anybody for the password does not get to see anything.
    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        page.goto(url)


def test_flower_shows_the_worker_and_its_queue(flower, chromium):
    url, name = flower
    context = chromium.new_context(http_credentials={"username": USER, "password": PASSWORD})
    page = context.new_page()
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert page.goto(f"{url}workers").status == 200
        if name in page.content():
            break
        assert time.monotonic() < deadline, page.content()[-2000:]
        time.sleep(0.5)
    page.goto(f"{url}worker/{name}")
    page.get_by_role("tab", name="Queues").or_(page.locator("a[href='#tab-queues']")).first.click()
    assert QUEUE in " ".join(texts(page, "#tab-queues, #queues"))
    context.close()
