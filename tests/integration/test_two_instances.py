"""Two web processes behind nginx are one: sessions, keys, rates and the trail do not mind which of them answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections import Counter

import pytest
import redis
import requests
from django.contrib.auth import get_user_model
from django.db import connection

from apps.monitor.access.roles import RISK_MANAGER, roles_write
from apps.monitor.audit.verify import verify
from apps.monitor.models import AuditEntry
from apps.risk.models import Limit, LimitChange
from moondev.servers.probes import free_port
from moondev.settings.env import PROJECT_ROOT
from tests.chaos.waiting import wait_until
from tests.integration.api_world import Client, person, token_of
from tests.integration.limits_world import paper_account

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(NGINX is None, reason="no nginx here: docker/proxy installs it"),
    pytest.mark.timeout(180),
]
# Below twenty nothing is counted ahead, so both together are exact.
RATE = 18


@pytest.fixture
def started():
    """Return what starts a process; those that run are ended with the test, each by itself."""
    running: list[subprocess.Popen] = []

    def start(*command, **environment):
        running.append(subprocess.Popen(command, cwd=PROJECT_ROOT, env={**os.environ, **environment}))
        return running[-1]

    yield start
    for process in reversed(running):
        process.terminate()
    for process in running:
        process.wait(20)


@pytest.fixture
def instances(started, settings, tmp_path):
    """Start two web processes on the test's database; return each with its port."""
    database = connection.settings_dict
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    with redis.Redis.from_url(settings.REDIS_URL) as counts:
        # What a person of the same number asked in another run.
        for key in counts.scan_iter("*api-rates*"):
            counts.delete(key)
    environment = {
        "DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "DJANGO_SETTINGS_MODULE": "moondev.settings.test",
        "API_RATE_PER_CALLER": f"{RATE}/hour", "MOONDEV_HALT_FILE": str(tmp_path / "halt"), "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    ports = [free_port(), free_port()]
    web = (sys.executable, "-m", "uvicorn", "moondev.asgi:application", "--lifespan", "off", "--log-level", "error")
    running = [(started(*web, "--port", str(port), **environment), port) for port in ports]
    for _, port in running:
        wait_until("an answer of each instance", lambda p=port: answers(f"http://127.0.0.1:{p}"), seconds=120)
    return running


@pytest.fixture
def front(started, instances, tmp_path):
    """Start nginx as docker/nginx says, before the two; return its address."""
    folder, port = tmp_path / "nginx", free_port()
    shutil.copytree(PROJECT_ROOT / "docker" / "nginx", folder)
    (folder / "tmp").mkdir()
    upstream = (folder / "upstream.conf").read_text(encoding="utf-8")
    for name, (_, instance) in zip(("web-1:8000", "web-2:8000"), instances, strict=True):
        assert name in upstream
        upstream = upstream.replace(name, f"127.0.0.1:{instance}")
    (folder / "upstream.conf").write_text(upstream, encoding="utf-8")
    (folder / "listen.conf").write_text(
        f"listen 127.0.0.1:{port};\nadd_header X-Served-By $upstream_addr always;\n", encoding="utf-8"
    )
    # As root it would let its workers be somebody who may not write into this folder.
    user = " user root;" if os.geteuid() == 0 else ""
    started(NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", f"daemon off;{user}")
    home = f"http://127.0.0.1:{port}"
    wait_until("an answer of nginx", lambda: answers(home), seconds=30)
    return home


def answers(home):
    try:
        return requests.get(f"{home}/admin/login/", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_two_instances_are_one(front, instances):
    paper_account()
    roles_write()
    manager = person(RISK_MANAGER)
    manager.set_password("operate-carefully")
    manager.save()
    token = token_of(manager)
    api = Client(f"{front}/api/v1", token)
    # One write, asked for ten times at once through both: it is done once.
    asked = {"kind": "max_leverage", "scope_kind": "portfolio", "scope_key": "paper", "value": "2", "reason": "two"}
    told = []
    threads = [threading.Thread(target=ask, args=(front, token, asked, told)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {status for status, _ in told} <= {201, 409}
    assert Limit.objects.get(kind="max_leverage").version == 2
    assert LimitChange.objects.filter(limit__kind="max_leverage").count() == 2
    assert len({served for _, served in told}) == 2
    # Both count for one rate.
    statuses = Counter(api.get("/accounts").status_code for _ in range(RATE))
    assert statuses == {200: RATE - 10, 429: 10}
    # Nobody can say he is somewhere else.
    assert set(AuditEntry.objects.filter(action="api POST").values_list("address", flat=True)) == {"127.0.0.1"}
    assert not verify().flaws
    # A login at one is a login at the other, and one that dies is not missed.
    session = requests.Session()
    form = {"username": "risk-manager", "password": "operate-carefully"}
    session.get(f"{front}/admin/login/", timeout=30)
    form["csrfmiddlewaretoken"] = session.cookies["csrftoken"]
    session.post(f"{front}/admin/login/?next=/admin/login/", form, timeout=30)
    seen = [session.get(f"{front}/api/v1/accounts", timeout=30) for _ in range(6)]
    assert {one.status_code for one in seen} == {200}
    instances[0][0].kill()
    instances[0][0].wait(10)
    assert [session.get(f"{front}/api/v1/accounts", timeout=30).status_code for _ in range(5)] == [200] * 5
    assert get_user_model().objects.get().last_login is not None


def ask(front, token, asked, told):
    headers = {"Idempotency-Key": "one", "X-Forwarded-For": "10.9.8.7"}
    answer = Client(f"{front}/api/v1", token).post("/risk/limits", json=asked, headers=headers)
    told.append((answer.status_code, answer.headers["X-Served-By"]))
