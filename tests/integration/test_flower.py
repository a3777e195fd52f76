"""Flower is reached through the login only: what somebody may not ask never arrives there."""

from __future__ import annotations

import asyncio
import threading

import pytest
import requests
from aiohttp import web
from django.contrib.auth.models import User

from apps.monitor.access.roles import ADMINISTRATOR, TRADER, VIEWER, roles_write
from apps.monitor.api.threads import threads_close
from apps.monitor.flower import passing
from apps.monitor.models import AuditEntry
from tests.integration.api_world import person, token_of
from tests.support.web import serving

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
PATHS = (
    "/", "/workers", "/tasks", "/broker", "/metrics", "/healthcheck", "/api/workers", "/api/tasks", "/api/task/types",
    "/api/queues/length", "/static/js/flower.js", "/nothing", "//admin/", "/%2e%2e/metrics",
)  # fmt: skip
COMMANDS = ("/api/worker/shutdown/a@b", "/api/task/async-apply/x", "/api/task/revoke/1", "/login")


class Scripted:
    """A Flower that writes down what reaches it."""

    def __init__(self, socket):
        self.socket, self.asked = socket, []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner = None

    def start(self):
        self._do(self._serve())

    def stop(self):
        self._do(self._runner.cleanup())

    def end(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work):
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self):
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()

    async def _answer(self, request):
        body = await request.text()
        self.asked.append((request.method, request.raw_path, dict(request.headers), body))
        if request.path.endswith("/away"):
            raise web.HTTPFound("http://elsewhere.example/flower/tasks")
        if request.method == "HEAD":
            return web.Response()
        if request.path.endswith("/refused"):
            return web.Response(status=401)
        answer = web.StreamResponse(headers={"Set-Cookie": "_xsrf=1", "Content-Type": "text/plain", "Server": "T"})
        await answer.prepare(request)
        for piece in (b"one ", b"two"):
            await answer.write(piece)
        if request.path.endswith("/endless"):
            await answer.write(b"x" * 2_000)
        return answer


@pytest.fixture
def flower(tmp_path, settings):
    scripted = Scripted(tmp_path / "s")
    settings.FLOWER_AT = f"unix:{scripted.socket}"
    scripted.start()
    yield scripted
    scripted.stop()
    scripted.end()


@pytest.fixture
def home(flower):
    with serving() as host:
        yield f"http://{host}"
    threads_close()


@pytest.fixture
def roles(db):
    roles_write()
    return {role: token_of(person(role)) for role in (VIEWER, TRADER, ADMINISTRATOR)}


def logged_in(client, home, name):
    """Return a browser's session, as the login page makes it."""
    client.force_login(User.objects.get(username=name))
    made = requests.Session()
    made.cookies["sessionid"] = client.cookies["sessionid"].value
    made.headers["Accept"] = "text/html"
    return made


def test_without_a_login_nothing_reaches_it(home, flower, roles, settings):
    settings.API_RATE_OF_FAILURES = "1000/second"
    stranger = requests.Session()
    User.objects.create_user("customer")
    for path in PATHS:
        answer = stranger.get(f"{home}/flower{path}", allow_redirects=False, timeout=30)
        assert answer.status_code == 401, path
        page = stranger.get(f"{home}/flower{path}", headers={"Accept": "text/html"}, allow_redirects=False, timeout=30)
        assert page.status_code == 302, path
        assert page.headers["location"].startswith("/admin/login/?next=/"), path
    for path in COMMANDS:
        assert stranger.post(f"{home}/flower{path}", timeout=30).status_code == 401, path
    assert stranger.get(f"{home}/flower", allow_redirects=False, timeout=30).headers["location"] == "/flower/"
    wrong = {"Authorization": "Basic d2ViOnh4"}
    assert stranger.get(f"{home}/flower/", headers=wrong, timeout=30).status_code == 401
    assert flower.asked == []


def test_a_viewer_looks_and_an_administrator_commands(home, flower, roles, client):
    viewer, own = logged_in(client, home, "viewer"), {"Origin": home}
    answer = viewer.get(f"{home}/flower/task/a%2Fb?sort=%20x", timeout=30)
    assert (answer.status_code, answer.text) == (200, "one two")
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-frame-options"] == "DENY"
    method, path, headers, _ = flower.asked.pop()
    assert (method, path) == ("GET", "/flower/task/a%2Fb?sort=%20x")
    assert "Cookie" not in headers
    assert headers["Authorization"].startswith("Basic ")
    assert viewer.get(f"{home}/flower/away", allow_redirects=False, timeout=30).headers["location"] == "/flower/tasks"
    assert viewer.head(f"{home}/flower/workers", timeout=30).status_code == 200
    flower.asked.clear()
    for role in ("viewer", "trader"):
        refused = logged_in(client, home, role).post(f"{home}/flower{COMMANDS[0]}", headers=own, timeout=30)
        assert refused.status_code == 403, role
    chief = logged_in(client, home, "administrator")
    for foreign in ({}, {"Origin": "https://elsewhere.example"}, own | {"Sec-Fetch-Site": "cross-site"}):
        assert chief.post(f"{home}/flower{COMMANDS[0]}", headers=foreign, timeout=30).status_code == 403, foreign
    assert chief.delete(f"{home}/flower/", headers=own, timeout=30).status_code == 405
    assert chief.post(f"{home}/flower/x", b"x" * 300_000, headers=own, timeout=30).status_code == 413
    assert flower.asked == []
    assert chief.post(f"{home}/flower{COMMANDS[0]}", {"n": "1"}, headers=own, timeout=30).status_code == 200
    (asked,) = flower.asked
    assert (asked[0], asked[1], asked[3]) == ("POST", f"/flower{COMMANDS[0]}", "n=1")
    entry = AuditEntry.objects.filter(subject=f"/flower{COMMANDS[0]}", actor="administrator").last()
    assert entry.after == {"status": 200}


def test_a_token_looks_and_never_commands(home, flower, roles):
    header = {"Authorization": f"Bearer {roles[ADMINISTRATOR]}", "Origin": home}
    assert requests.get(f"{home}/flower/metrics", headers=header, timeout=30).text == "one two"
    assert flower.asked.pop()[2]["Authorization"].startswith("Basic ")
    assert requests.post(f"{home}/flower{COMMANDS[0]}", headers=header, timeout=30).status_code == 403
    assert flower.asked == []


def test_while_it_is_away_a_page_says_so_and_it_comes_back(home, flower, roles, client, monkeypatch):
    viewer = logged_in(client, home, "viewer")
    flower.stop()
    gone = viewer.get(f"{home}/flower/", timeout=30)
    assert gone.status_code == 502
    assert "Flower does not answer" in gone.text
    told = viewer.get(f"{home}/flower/metrics", headers={"Accept": "*/*"}, timeout=30)
    assert told.headers["content-type"] == "application/problem+json"
    flower.start()
    assert viewer.get(f"{home}/flower/", timeout=30).text == "one two"
    assert viewer.get(f"{home}/flower/refused", timeout=30).status_code == 502
    monkeypatch.setattr(passing, "LARGEST_ANSWER", 1_000)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        viewer.get(f"{home}/flower/endless", timeout=30)
