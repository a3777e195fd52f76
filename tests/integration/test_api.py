"""The API as a program meets it: a real web server, a login of the admin, and what it says when it refuses."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
import requests
import uvicorn
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction

from apps.exchanges.market_data.history.series import table_of_bars
from apps.strategies.backtest import services
from apps.strategies.models import BacktestRun
from apps.strategies.tasks import backtest as backtest_task
from moondev.asgi import application
from moondev.servers.probes import free_port
from tests.unit.apps.strategies.backtest.runs import walk

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
NAME = "bybit-linear_BTCUSDT_1h.parquet"
ASKED = {"strategy": "nadaraya_watson", "preset": "canonical", "data": [NAME]}
PASSWORD = "operate-carefully"


@pytest.fixture
def home():
    """Serve the web application; return its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=port, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def shelf(tmp_path, settings):
    settings.MOONDEV_DATA_DIR = tmp_path
    pq.write_table(table_of_bars(walk(600)), tmp_path / NAME)


@pytest.fixture
def people(db):
    users = get_user_model().objects
    users.create_superuser("operator", password=PASSWORD)
    users.create_user("customer", password=PASSWORD)
    viewer = users.create_user("viewer", password=PASSWORD, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))


@pytest.fixture
def enter(home, people):
    """Return what logs a person in, as the admin's page does; it sends the token with everything."""

    def session(name):
        made = requests.Session()
        made.get(f"{home}/admin/login/", timeout=10)
        form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": made.cookies["csrftoken"]}
        made.post(f"{home}/admin/login/?next=/admin/login/", form, timeout=10)
        made.headers["X-CSRFToken"] = made.cookies["csrftoken"]
        return made

    return session


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setattr(services, "wake", lambda _task, run_id: transaction.on_commit(lambda: backtest_task(run_id)))


def told(answer, status):
    """Return a problem, once it is one as RFC 9457 says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == status
    return problem["detail"]


def test_a_backtest_is_started_read_and_its_report_shown(home, enter, shelf, worker):
    session, url = enter("operator"), f"{home}/api/v1/backtests"
    started = session.post(url, json=ASKED | {"capital": 5_000, "parameters": {"window_bars": 60}}, timeout=60)
    assert started.status_code == 202, started.text
    assert started.headers["Location"] == f"/api/v1/backtests/{started.json()['id']}"
    address = home + started.headers["Location"]
    run = session.get(address, timeout=10).json()
    assert (run["status"], run["progress"], run["asked_by"]) == ("done", 1.0, "operator")
    assert run["facts"]["capital"] == 5_000
    assert run["facts"]["parameters"]["window_bars"] == 60
    assert run["metrics"]["trades"] > 0
    assert run["verdict"]
    report = session.get(f"{address}/report", timeout=10)
    assert report.headers["content-type"].startswith("text/html")
    assert "Where the money went" in report.text
    assert told(session.delete(address, timeout=10), 409).endswith("it is over")
    # The admin is served beside it.
    assert "Backtests" in session.get(f"{home}/admin/strategies/backtestrun/", timeout=10).text


def test_runs_are_listed_page_by_page_and_cancelled(home, enter, shelf, monkeypatch):
    monkeypatch.setattr(services, "wake", lambda *_, **__: None)
    session, url = enter("operator"), f"{home}/api/v1/backtests"
    ids = [session.post(url, json=ASKED, timeout=10).json()["id"] for _ in range(3)]
    first = session.get(url, params={"limit": 2}, timeout=10).json()
    assert [one["id"] for one in first["items"]] == ids[:0:-1]
    rest = session.get(url, params={"limit": 2, "before": first["next_before"]}, timeout=10).json()
    assert [one["id"] for one in rest["items"]] == ids[:1]
    assert rest["next_before"] is None
    assert session.delete(f"{url}/{ids[0]}", timeout=10).json()["status"] == "cancelled"
    assert len(session.get(url, params={"status": "queued"}, timeout=10).json()["items"]) == 2
    assert told(session.get(f"{url}/{ids[1]}/report", timeout=10), 422).endswith("one that is done")
    assert told(session.get(f"{url}/999999", timeout=10), 404) == "there is no backtest 999999"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"strategy": "martingale"}, "allowed: market_maker"),
        ({"preset": "secret"}, "allowed: canonical"),
        ({"data": ["../../etc/passwd"]}, "MOONDEV_DATA_DIR"),
        ({"data": []}, "at least one file"),
        ({"parameters": {"window_bars": -1}}, "window_bars is -1"),
        ({"rule": "soon"}, "body.rule"),
        ({"price": 1}, "body.price"),
        ({"capital": "much"}, "body.capital"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_queued(home, enter, shelf, changed, words):
    session = enter("operator")
    assert words in told(session.post(f"{home}/api/v1/backtests", json=ASKED | changed, timeout=10), 422)
    assert not BacktestRun.objects.exists()


def test_it_is_never_open(home, enter, shelf, worker):
    url = f"{home}/api/v1/backtests"
    nobody, customer, viewer, operator = requests.Session(), enter("customer"), enter("viewer"), enter("operator")
    BacktestRun.objects.create(
        title="one",
        kind="turtle_trend",
        request={},
        asked_by="x",
        asked_at=datetime.now(UTC),
        sent_at=datetime.now(UTC),
    )
    for address in (url, f"{url}/1", f"{home}/api/v1/openapi.json"):
        told(nobody.get(address, timeout=10), 401)
        told(customer.get(address, timeout=10), 401)
    assert len(viewer.get(url, timeout=10).json()["items"]) == 1
    assert "strategies.add_backtestrun" in told(viewer.post(url, json=ASKED, timeout=10), 403)
    del operator.headers["X-CSRFToken"]
    assert "CSRF" in told(operator.post(url, json=ASKED, timeout=10), 403)
    operator.headers["X-CSRFToken"] = "a" * 32
    told(operator.post(url, json=ASKED, timeout=10), 403)
    operator.headers["X-CSRFToken"] = operator.cookies["csrftoken"]
    told(operator.post(url, json=ASKED, headers={"Origin": "https://elsewhere.example"}, timeout=10), 403)
    assert BacktestRun.objects.count() == 1
    told(operator.get(f"{home}/api/v1/nothing", timeout=10), 404)
    told(operator.put(url, timeout=10), 405)


def test_it_describes_itself_with_examples(home, enter):
    described = enter("viewer").get(f"{home}/api/v1/openapi.json", timeout=10).json()
    assert described["servers"] == [{"url": "/api/v1"}]
    post = described["paths"]["/backtests"]["post"]
    assert {"202", "401", "403", "422"} <= set(post["responses"])
    examples = described["components"]["schemas"]["BacktestAsked"]["examples"]
    assert examples[0]["strategy"] == "consolidation_pop"
