"""Flower beside a real worker on a real broker, behind the login of the admin, in a browser."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from apps.monitor.access.roles import ADMINISTRATOR, roles_write
from apps.monitor.api.threads import threads_close
from apps.monitor.demo.processes import flower_process
from apps.monitor.models import AuditEntry
from tests.browser.scenery import PASSWORD, texts
from tests.integration.api_world import person
from tests.support.web import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # As for the dashboard: WhiteNoise's files are plain iterators, and a page that is left leaves some of them open.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PROJECT_ROOT = Path(__file__).resolve().parents[2]
# A queue that nothing else consumes while tests run.
QUEUE = "alerts"
START_SECONDS = 120


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


def wait_for(condition, log):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)


@pytest.fixture(scope="module")
def flower(tmp_path_factory):
    """Return where a Flower listens that watches one worker, and the worker's name."""
    folder = tmp_path_factory.mktemp("flower")
    place, name = f"unix:{folder}/own/socket", f"browser-test-{os.getpid()}@localhost"
    worker = [
        *(sys.executable, "-m", "celery", "-A", "moondev.celery", "worker", f"--hostname={name}"),
        *(f"--queues={QUEUE}", "--pool=threads", "--concurrency=1", "--loglevel=INFO"),
        *("--without-gossip", "--without-mingle"),
    ]
    environment = {
        "DJANGO_SETTINGS_MODULE": "moondev.settings.test", "BROKER_URL": settings.BROKER_URL, "FLOWER_AT": place,
        # What an older installation may have set: it opens nothing.
        "FLOWER_UNAUTHENTICATED_API": "true", "FLOWER_PORT": "1",
    }  # fmt: skip
    with ExitStack() as stack:
        logs = {part: folder / f"{part}.log" for part in ("worker", "flower")}
        stack.enter_context(running(worker, logs["worker"], **environment))
        wait_for(lambda: "ready" in logs["worker"].read_text(), logs["worker"])
        process = stack.enter_context(running(list(flower_process().command), logs["flower"], **environment))
        socket = flower_socket(place)
        wait_for(socket.exists, logs["flower"])
        assert not [c for c in psutil.Process(process.pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert socket.parent.stat().st_mode & 0o077 == 0
        yield place, name


def flower_socket(place):
    return Path(place.removeprefix("unix:"))


@pytest.fixture
def home(flower, settings):
    settings.FLOWER_AT = flower[0]
    with serving() as host:
        yield f"http://{host}"
    threads_close()
    gc.collect()


@pytest.mark.django_db(transaction=True)
def test_flower_shows_an_administrator_the_worker_and_obeys_him(home, flower, chromium):
    name = flower[1]
    roles_write()
    chief = person(ADMINISTRATOR)
    chief.set_password(PASSWORD)
    chief.save()
    context = chromium.new_context()
    page, refused = context.new_page(), []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.goto(f"{home}/flower/workers")
    # A stranger is asked to log in, and comes to where he wanted to go.
    page.fill("#id_username", chief.username)
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_url(f"{home}/flower/workers")
    deadline = time.monotonic() + START_SECONDS
    while name not in page.content():
        assert time.monotonic() < deadline, page.content()[-2000:]
        time.sleep(0.5)
        page.reload()
    assert page.evaluate("typeof autorefresh") != "undefined"
    page.goto(f"{home}/flower/worker/{name}")
    page.get_by_role("tab", name="Queues").or_(page.locator("a[href='#tab-queues']")).first.click()
    assert QUEUE in " ".join(texts(page, "#tab-queues, #queues"))
    # Its buttons work through ours: the page's own request, with the origin that the browser gives it.
    grown = page.evaluate(
        "address => fetch(address, {method: 'POST', body: new URLSearchParams({n: 1})}).then(answer => answer.status)",
        f"/flower/api/worker/pool/grow/{name}",
    )
    assert grown in {200, 403}, grown  # 403: a pool of threads does not grow, as the worker itself says
    assert AuditEntry.objects.filter(subject=f"/flower/api/worker/pool/grow/{name}", actor=chief.username).exists()
    assert not [text for text in refused if "Content Security Policy" in text]
    context.close()
