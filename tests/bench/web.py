"""One web process, or a few on one port, as `make demo` runs them."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import requests
from django.conf import settings
from django.contrib.auth.models import Group, User

from apps.monitor.access.roles import VIEWER, roles_write
from apps.monitor.access.tokens import token_create
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import web_process
from moondev.domain.clock import LiveClock
from moondev.servers.probes import free_port
from tests.bench.servers import PROJECT, BenchError

READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Web:
    """A web server that runs: its port, the pid of its first process, and a token that may read."""

    port: int
    pid: int
    token: str

    @property
    def api(self) -> str:
        """Return the address of the API."""
        return f"http://127.0.0.1:{self.port}/api/v1"


@contextmanager
def web_served(workers: int = 1) -> Iterator[Web]:
    """Serve while the block runs; who is measured is not slowed down by rates."""
    token, port, before = _token(), free_port(), settings.WEB_WORKERS
    settings.WEB_WORKERS = workers
    command = web_process(Ports(mock=1, web=port)).command
    settings.WEB_WORKERS = before
    rates = {"API_RATE_PER_CALLER": "100000/second", "API_RATE_PER_ADDRESS": "100000/second", "LOG_LEVEL": "ERROR"}
    # Its children may have as many connections as the machine allows.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # uvicorn tells of each connection at length.
    process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **rates}, stderr=subprocess.DEVNULL)
    try:
        web = Web(port, process.pid, token)
        _wait(web)
        yield web
    finally:
        process.terminate()
        process.wait(60)


def _token() -> str:
    """Return a token that may read, of somebody with a role: its permissions are looked up as everybody's are."""
    roles_write()
    user, made = User.objects.get_or_create(username="bench-viewer", defaults={"is_staff": True})
    if made:
        user.groups.add(Group.objects.get(name=VIEWER))
    now = LiveClock().now()
    given = {"name": "bench", "scopes": ["read"], "expires_at": now + timedelta(days=1), "actor": "bench", "now": now}
    return token_create(user=user, **given)[1]


def _wait(web: Web) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        try:
            requests.get(web.api, timeout=2)
        except requests.RequestException:
            time.sleep(0.1)
            continue
        return
    raise BenchError(f"the web process did not answer within {READY_S:.0f} s")
